// SPDX-License-Identifier: GPL-2.0-or-later
/* DNS messages by the C library's builder and parser, which check every length and loop.
 *
 * An answer counts only if it has our id, our question and nothing odd: whoever can send to the
 * socket can send answers, and an id alone is guessed. Aliases are followed inside the answer only:
 * the servers are recursive ones.
 */
#include "platform/resolver-message.h"

#include <arpa/nameser.h>
#include <resolv.h>
#include <string.h>

enum { ALIASES_MAX = 16, RECORDS_MAX = 256, OPT_SIZE = 11, ARCOUNT_OFFSET = 10 };

static int type_of(int family)
{
    return family == AF_INET ? ns_t_a : ns_t_aaaa;
}

/* RFC 6891 section 6.1.2: an empty record that names our payload size. */
static size_t append_opt(uint8_t *query, size_t n)
{
    uint8_t *count = query + ARCOUNT_OFFSET, *p = query + n;

    *p++ = 0; /* root */
    NS_PUT16(ns_t_opt, p);
    NS_PUT16(PLATFORM_RESOLVER_PAYLOAD, p);
    NS_PUT32(0, p);
    NS_PUT16(0, p);
    NS_PUT16(1, count);
    return (size_t)(p - query);
}

size_t platform_resolver_build(const PlatformResolverQuestion *question,
                               uint8_t query[PLATFORM_RESOLVER_QUERY_MAX])
{
    struct __res_state state = {.options = RES_RECURSE | RES_INIT};
    int n = res_nmkquery(&state, ns_o_query, question->name, ns_c_in, type_of(question->family),
                         NULL, 0, NULL, query, PLATFORM_RESOLVER_QUERY_MAX - OPT_SIZE);

    if (n < NS_HFIXEDSZ)
        return 0;
    uint8_t *p = query;

    NS_PUT16(question->id, p);
    return append_opt(query, (size_t)n);
}

/* ---- answers ---- */

/* The case must be what we sent: it is as hard to guess as the id. */
static bool is_our_question(const PlatformResolverQuestion *question, ns_msg *message)
{
    ns_rr record;

    if (ns_msg_id(*message) != question->id || !ns_msg_getflag(*message, ns_f_qr) ||
        ns_msg_getflag(*message, ns_f_opcode) != ns_o_query ||
        ns_msg_count(*message, ns_s_qd) != 1 || ns_parserr(message, ns_s_qd, 0, &record) < 0)
        return false;
    return (int)ns_rr_type(record) == type_of(question->family) && ns_rr_class(record) == ns_c_in &&
           !strcmp(ns_rr_name(record), question->name);
}

static void add_address(GArray *addresses, const ns_rr *record)
{
    PlatformAddress address;

    if (!platform_address_from_bytes(ns_rr_rdata(*record), ns_rr_rdlen(*record), &address))
        return;
    for (guint i = 0; i < addresses->len; i++) {
        if (platform_address_equal(&g_array_index(addresses, PlatformAddress, i), &address))
            return;
    }
    g_array_append_val(addresses, address);
}

/* Name that the wanted one is an alias of, or its addresses. TRUE when there is one more alias to
   follow. */
static bool scan(ns_msg *message, int type, char wanted[NS_MAXDNAME], GArray *addresses)
{
    int n = MIN(ns_msg_count(*message, ns_s_an), RECORDS_MAX);
    char alias[NS_MAXDNAME] = "";

    for (int i = 0; i < n; i++) {
        ns_rr record;

        if (ns_parserr(message, ns_s_an, i, &record) < 0)
            break;
        if (ns_rr_class(record) != ns_c_in || g_ascii_strcasecmp(ns_rr_name(record), wanted))
            continue;
        if ((int)ns_rr_type(record) == type &&
            ns_rr_rdlen(record) == (type == ns_t_a ? NS_INADDRSZ : NS_IN6ADDRSZ))
            add_address(addresses, &record);
        else if (ns_rr_type(record) == ns_t_cname &&
                 ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
                                    ns_rr_rdata(record), alias, sizeof alias) < 0)
            alias[0] = '\0';
    }
    g_strlcpy(wanted, alias, NS_MAXDNAME);
    return alias[0] != '\0';
}

static PlatformResolverAnswer read_records(ns_msg *message, int type, const char *name,
                                           GArray *addresses)
{
    char wanted[NS_MAXDNAME];
    guint before = addresses->len;

    g_strlcpy(wanted, name, sizeof wanted);
    for (int i = 0; i < ALIASES_MAX && addresses->len == before; i++) {
        if (!scan(message, type, wanted, addresses))
            break;
    }
    if (addresses->len > before)
        return PLATFORM_RESOLVER_ANSWER_ADDRESSES;
    /* Cut off before the addresses came: that is not "none". */
    return ns_msg_getflag(*message, ns_f_tc) ? PLATFORM_RESOLVER_ANSWER_FAILED
                                             : PLATFORM_RESOLVER_ANSWER_EMPTY;
}

PlatformResolverAnswer platform_resolver_parse(const PlatformResolverQuestion *question,
                                               const uint8_t *answer, size_t n, GArray *addresses)
{
    ns_msg message;

    if (n > PLATFORM_RESOLVER_ANSWER_MAX || ns_initparse(answer, (int)n, &message) < 0 ||
        !is_our_question(question, &message))
        return PLATFORM_RESOLVER_ANSWER_IGNORED;
    switch (ns_msg_getflag(message, ns_f_rcode)) {
    case ns_r_noerror:
        return read_records(&message, type_of(question->family), question->name, addresses);
    case ns_r_nxdomain:
        return PLATFORM_RESOLVER_ANSWER_NOT_FOUND;
    default:
        return PLATFORM_RESOLVER_ANSWER_FAILED;
    }
}
