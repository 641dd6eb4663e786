/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values of [Rules]: networks, by the name that a Wi-Fi network has or that NetworkManager has for
 * a connection. An SSID is bytes, not text (IEEE 802.11-2020, 9.4.2.2): what can't stand in a list
 * is written in hex, and what is written as text is compared as its bytes in UTF-8.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"

enum { NETWORK_BYTES_MAX = 255 };

static const char SSID[] = "ssid:", NETWORK[] = "network:", HEX[] = "0x";

static bool refuse_prefix(DialtoneValue *value, const char *plain)
{
    g_autofree char *quoted = dialtone_value_quote(plain);
    const char *bare = strchr(plain, ':');

    if (bare == NULL)
        return dialtone_value_error(value,
                                    _("%s does not say what it is; write ssid:%s or "
                                      "network:%s"),
                                    quoted, plain, plain);
    return dialtone_value_error(value,
                                _("%s is no network; write ssid: and the name of a Wi-Fi network, "
                                  "or network: and a connection's of NetworkManager"),
                                quoted);
}

/* Whoever writes commas has meant two networks; a comma alone may be a part of the name. */
static bool has_commas(const char *plain)
{
    for (const char *comma = strchr(plain, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
        const char *next = comma + 1 + strspn(comma + 1, " ");
        if (g_str_has_prefix(next, SSID) || g_str_has_prefix(next, NETWORK))
            return true;
    }
    return false;
}

/* NULL when it complained. */
static GBytes *parse_hex(DialtoneValue *value, const char *digits)
{
    gsize n = strlen(digits);

    if (n == 0 || n % 2 != 0 || digits[strspn(digits, "0123456789abcdefABCDEF")] != '\0') {
        dialtone_value_error(
            value, "%s",
            _("0x is followed by two hex digits a byte; a name that begins with 0x "
              "is written in hex, too"));
        return NULL;
    }
    GByteArray *bytes = g_byte_array_sized_new((guint)(n / 2));
    for (gsize i = 0; i < n; i += 2) {
        guint8 byte =
            (guint8)(g_ascii_xdigit_value(digits[i]) << 4 | g_ascii_xdigit_value(digits[i + 1]));
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_byte_array_free_to_bytes(bytes);
}

static GBytes *parse_ssid(DialtoneValue *value, const char *name)
{
    g_autoptr(GBytes) ssid = g_str_has_prefix(name, HEX) ? parse_hex(value, name + strlen(HEX))
                                                         : g_bytes_new(name, strlen(name));

    if (ssid == NULL)
        return NULL;
    if (g_bytes_get_size(ssid) == 0 || g_bytes_get_size(ssid) > DIALTONE_SSID_BYTES_MAX) {
        dialtone_value_error(value, _("the name of a Wi-Fi network has 1 to %d bytes"),
                             DIALTONE_SSID_BYTES_MAX);
        return NULL;
    }
    return g_steal_pointer(&ssid);
}

static bool is_name(DialtoneValue *value, const char *name)
{
    gsize n = strlen(name);

    if (n == 0 || n > NETWORK_BYTES_MAX)
        return dialtone_value_error(
            value, _("the name of a connection has 1 to %d bytes; `nmcli connection` lists them"),
            NETWORK_BYTES_MAX);
    if (n > 2 && (*name == '"' || *name == '\'') && name[n - 1] == *name)
        dialtone_value_warn(value, "%s",
                            _("the quotes are a part of the value; leave them out unless they "
                              "are meant"));
    return true;
}

static bool parse_place(DialtoneValue *value, const char *plain, DialtonePlace *place)
{
    bool is_ssid = g_str_has_prefix(plain, SSID);

    if (!is_ssid && !g_str_has_prefix(plain, NETWORK))
        return refuse_prefix(value, plain);
    if (has_commas(plain))
        return dialtone_value_error(value, "%s", _("`;` stands between the items of a list"));
    const char *name = plain + strlen(is_ssid ? SSID : NETWORK);
    if (!is_name(value, name))
        return false;
    if (is_ssid)
        place->ssid = parse_ssid(value, name);
    else
        place->network = g_strdup(name);
    return place->ssid != NULL || place->network != NULL;
}

bool dialtone_value_places(DialtoneValue *value, const char *text)
{
    GArray *places = *(GArray **)G_STRUCT_MEMBER_P(value->profile, value->row->offset);
    g_auto(GStrv) items = dialtone_value_items(value, text, DIALTONE_PLACES_MAX);

    for (gsize i = 0; items != NULL && items[i] != NULL; i++) {
        g_autofree char *plain = dialtone_value_unescape(value, items[i]);
        DialtonePlace place = {0};
        if (plain == NULL || !parse_place(value, plain, &place))
            return false;
        place.written = g_steal_pointer(&plain);
        g_array_append_val(places, place);
        g_string_append_printf(value->normal, "%s%s", i > 0 ? ";" : "", items[i]);
    }
    return items != NULL;
}
