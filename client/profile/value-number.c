/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers and durations. Digits only: no sign, no fraction, no locale. A number that overflows
 * is as wrong as one that is out of range.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"

static guint64 *field(const DialtoneValue *value)
{
    return G_STRUCT_MEMBER_P(value->profile, value->row->offset);
}

/* Reads digits only; @restp is what follows them. False: no digit, or too large. */
static bool read_digits(const char *text, guint64 *numberp, const char **restp)
{
    guint64 number = 0;
    const char *p = text;

    for (; g_ascii_isdigit(*p); p++) {
        guint64 digit = (guint64)g_ascii_digit_value(*p);
        if (number > (G_MAXINT64 - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *numberp = number;
    *restp = p;
    return p != text;
}

static guint64 unit_seconds(const char *unit)
{
    static const struct {
        const char *unit;
        guint64 seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};

    for (gsize i = 0; i < G_N_ELEMENTS(units); i++)
        if (strcmp(unit, units[i].unit) == 0)
            return units[i].seconds;
    return 0;
}

/* A row whose max is DIALTONE_FOREVER allows the word. */
bool dialtone_value_duration(DialtoneValue *value, const char *text)
{
    bool may_be_forever = value->row->max == DIALTONE_FOREVER;
    guint64 number = 0;
    const char *unit = "";

    if (strcmp(text, "forever") == 0 && may_be_forever) {
        *field(value) = DIALTONE_FOREVER;
        g_string_append(value->normal, text);
        return true;
    }
    bool read = read_digits(text, &number, &unit);
    guint64 factor = read ? unit_seconds(unit) : 0;
    if (factor == 0) {
        g_autofree char *quoted = dialtone_value_quote(text);
        return dialtone_value_error(value, _("%s is no duration; write %s"), quoted,
                                    _(value->row->syntax));
    }
    if (number > (guint64)G_MAXINT64 / factor || number * factor < value->row->min ||
        number * factor > value->row->max)
        return dialtone_value_error(value, _("%s is out of range; write %s"), text,
                                    _(value->row->syntax));
    *field(value) = number * factor;
    g_string_append_printf(value->normal, "%" G_GUINT64_FORMAT "%s", number, unit);
    return true;
}

static bool parse_number(DialtoneValue *value, const char *text, guint64 *numberp)
{
    const char *rest = text;

    if (!read_digits(text, numberp, &rest) || *rest != '\0' || *numberp < value->row->min ||
        *numberp > value->row->max) {
        g_autofree char *quoted = dialtone_value_quote(text);
        return dialtone_value_error(value, _("%s is not possible here; write %s"), quoted,
                                    _(value->row->syntax));
    }
    g_string_append_printf(value->normal, "%" G_GUINT64_FORMAT, *numberp);
    return true;
}

bool dialtone_value_number(DialtoneValue *value, const char *text)
{
    guint64 number = 0;

    if (!parse_number(value, text, &number))
        return false;
    *field(value) = number;
    return true;
}

bool dialtone_value_mtu(DialtoneValue *value, const char *text)
{
    guint64 number = 0;

    if (strcmp(text, "auto") == 0)
        g_string_append(value->normal, text);
    else if (!parse_number(value, text, &number))
        return false;
    value->profile->mtu = (guint)number;
    return true;
}

/* RFC 2407, 4.6.2: the port in the ID payload is 0 or 500, and nothing else. */
bool dialtone_value_id_port(DialtoneValue *value, const char *text)
{
    if (strcmp(text, "0") != 0 && strcmp(text, "500") != 0) {
        g_autofree char *quoted = dialtone_value_quote(text);
        return dialtone_value_error(value, _("%s is not possible here; write 0 or 500"), quoted);
    }
    value->profile->id_port = *text == '0' ? 0 : 500;
    g_string_append(value->normal, text);
    return true;
}
