/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Identities: ours, and what the gateway's must be. What is written here goes on the wire byte
 * for byte, so a prefix that another client would have read, or an address that no dialup gateway
 * takes for a name, is refused here rather than by the gateway with "invalid ID".
 */
#include "client/profile/value.h"

#include <arpa/inet.h>
#include <string.h>

#include "client/common/i18n.h"

static bool is_address(const char *text)
{
    guint8 bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

/* 192.0.2.1, 2001:db8::1, either in brackets or with a prefix length. */
static bool looks_like_address(const char *text)
{
    g_autofree char *bare = g_strdup(*text == '[' ? text + 1 : text);

    bare[strcspn(bare, "]/")] = '\0';
    return is_address(bare);
}

static bool has_blank(const char *text)
{
    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p))
        if (g_unichar_isspace(g_utf8_get_char(p)))
            return true;
    return false;
}

static bool check_email(DialtoneValue *value, const char *text)
{
    const char *at = strchr(text, '@');
    g_autofree char *quoted = dialtone_value_quote(text);

    if (at == text)
        return dialtone_value_error(value,
                                    _("%s begins with @; a host name (FQDN) is written without "
                                      "it: %s"),
                                    quoted, text + 1);
    if (at == NULL || at[1] == '\0' || strchr(at + 1, '@') != NULL || has_blank(text))
        return dialtone_value_error(value, _("%s is no email address; write name@example.com"),
                                    quoted);
    return true;
}

static bool check_fqdn(DialtoneValue *value, const char *text)
{
    g_autofree char *quoted = dialtone_value_quote(text);

    if (*text == '\0' || has_blank(text))
        return dialtone_value_error(value,
                                    _("%s is no host name; for a gateway that asks for a group "
                                      "or key ID write keyid:%s"),
                                    quoted, text);
    if (strpbrk(text, "=,/:") != NULL)
        return dialtone_value_error(value,
                                    _("%s is no host name; write name@example.com, "
                                      "host.example.com or keyid:GROUP"),
                                    quoted);
    return true;
}

static bool check_length(DialtoneValue *value, const char *text)
{
    if (*text == '\0')
        return dialtone_value_error(value, "%s", _("nothing stands behind the prefix"));
    if (strlen(text) > value->row->max)
        return dialtone_value_error(value, _("longer than %u bytes; shorten it"),
                                    (guint)value->row->max);
    return true;
}

static bool store(DialtoneValue *value, DialtoneId *id, DialtoneIdKind kind, const char *text)
{
    g_free(id->value);
    *id = (DialtoneId){.kind = kind, .value = g_strdup(text)};
    return true;
}

/* Prefixes of other programs would go on the wire as a part of the name. */
static bool refuse_prefixes(DialtoneValue *value, const char *text)
{
    static const char *const prefixes[] = {
        "fqdn:", "email:", "userfqdn:", "ufqdn:", "rfc822:", "dns:", "user_fqdn:"};

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        gsize n = strlen(prefixes[i]);
        if (g_ascii_strncasecmp(text, prefixes[i], n) == 0)
            return dialtone_value_error(value,
                                        _("an ID has no prefix but keyid: (an @ makes it an "
                                          "email address); write %s"),
                                        text + n);
    }
    if (g_ascii_strncasecmp(text, "ip:", 3) == 0 || g_ascii_strncasecmp(text, "ipv4:", 5) == 0 ||
        looks_like_address(text))
        return dialtone_value_error(value, "%s",
                                    _("an IP address can't be the ID of a dialup client; write "
                                      "the email address or host name that the gateway knows, "
                                      "or keyid:GROUP"));
    return true;
}

bool dialtone_value_id(DialtoneValue *value, const char *text)
{
    DialtoneId *id = &value->profile->id;
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    if (g_str_has_prefix(plain, "keyid:")) {
        const char *name = plain + strlen("keyid:");
        return check_length(value, name) && store(value, id, DIALTONE_ID_KEYID, name);
    }
    if (!refuse_prefixes(value, plain) || !check_length(value, plain))
        return false;
    if (strchr(plain, '@') != NULL)
        return check_email(value, plain) && store(value, id, DIALTONE_ID_EMAIL, plain);
    return check_fqdn(value, plain) && store(value, id, DIALTONE_ID_FQDN, plain);
}

/* The part's end: the next @separator that no backslash escapes, or the end of the text. */
static const char *part_end(const char *part, char separator)
{
    for (; *part != '\0' && *part != separator; part++)
        if (*part == '\\' && part[1] != '\0')
            part++;
    return part;
}

/* "C=NL, O=Example, CN=gw" or "/C=NL/O=Example/CN=gw": every part has a type and a value. What
 * the types are is for the code that compares names. */
static bool check_dn(DialtoneValue *value, const char *text)
{
    char separator = *text == '/' ? '/' : ',';
    const char *part = *text == '/' ? text + 1 : text;

    for (;;) {
        const char *end = part_end(part, separator);
        g_autofree char *copy = g_strstrip(g_strndup(part, (gsize)(end - part)));
        const char *equals = strchr(copy, '=');
        if (equals == NULL || equals == copy || equals[1] == '\0')
            return dialtone_value_error(value, "%s",
                                        _("no distinguished name; write dn:C=NL, O=Example, "
                                          "CN=gateway"));
        if (*end == '\0')
            return true;
        part = end + 1;
    }
}

static bool check_ip(DialtoneValue *value, const char *text)
{
    g_autofree char *quoted = dialtone_value_quote(text);

    return is_address(text) ||
           dialtone_value_error(value, _("%s is no IP address; write ip:192.0.2.1"), quoted);
}

static bool check_anything(DialtoneValue *value, const char *text)
{
    return true;
}

bool dialtone_value_remote_id(DialtoneValue *value, const char *text)
{
    static const struct {
        const char *prefix;
        DialtoneIdKind kind;
        bool (*check)(DialtoneValue *value, const char *text);
    } kinds[] = {
        {"fqdn:", DIALTONE_ID_FQDN, check_fqdn},
        {"email:", DIALTONE_ID_EMAIL, check_email},
        {"ip:", DIALTONE_ID_IP, check_ip},
        {"dn:", DIALTONE_ID_DN, check_dn},
        {"keyid:", DIALTONE_ID_KEYID, check_anything},
    };
    DialtoneId *id = &value->profile->remote_id;
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    if (strcmp(plain, "any") == 0)
        return store(value, id, DIALTONE_ID_ANY, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!g_str_has_prefix(plain, kinds[i].prefix))
            continue;
        const char *name = plain + strlen(kinds[i].prefix);
        return check_length(value, name) && kinds[i].check(value, name) &&
               store(value, id, kinds[i].kind, name);
    }
    const char *kind = looks_like_address(plain) ? "ip" : strchr(plain, '@') ? "email" : "fqdn";
    return dialtone_value_error(value,
                                _("the kind of ID is missing; write %s:%s, or any, fqdn:, email:, "
                                  "ip:, dn: or keyid:"),
                                kind, plain);
}
