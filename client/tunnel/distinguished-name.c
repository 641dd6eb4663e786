/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts stand between commas or slashes, a backslash takes away the meaning of what follows it.
 * They go into the name in the order they are written in, which is the certificate's.
 */
#include "client/tunnel/distinguished-name.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

/* Copies up to the next separator that no backslash escapes; the caller frees the part. */
static char *next_part(const char **textp, char separator)
{
    GString *part = g_string_new(NULL);
    const char *p = *textp;
    for (; *p != '\0' && *p != separator; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        g_string_append_c(part, *p);
    }
    *textp = *p != '\0' ? p + 1 : p;
    return g_strstrip(g_string_free(part, FALSE));
}

/* Other programs write these for what libcrypto knows by other names. */
static const char *type_of(const char *word)
{
    static const struct {
        const char *written, *known;
    } aliases[] = {{"E", "emailAddress"}, {"EMAIL", "emailAddress"}, {"S", "ST"}};
    for (gsize i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (g_ascii_strcasecmp(word, aliases[i].written) == 0)
            return aliases[i].known;
    return word;
}

static bool add_part(X509_NAME *name, char *part)
{
    char *equals = strchr(part, '=');
    if (equals == NULL)
        return false;
    *equals = '\0';
    const char *type = type_of(g_strchomp(part)), *value = g_strchug(equals + 1);
    return X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const guint8 *)value, -1, -1,
                                      0) == 1;
}

bool tunnel_dn_to_der(const char *text, guint8 *der, gsize size, gsize *np)
{
    char separator = *text == '/' ? '/' : ',';
    X509_NAME *name = X509_NAME_new();
    bool ok = name != NULL;
    text += *text == '/' ? 1 : 0;
    while (ok && *text != '\0') {
        g_autofree char *part = next_part(&text, separator);
        ok = add_part(name, part);
    }
    int n = ok ? i2d_X509_NAME(name, NULL) : -1;
    ok = n > 0 && (gsize)n <= size && i2d_X509_NAME(name, &der) == n;
    if (ok)
        *np = (gsize)n;
    X509_NAME_free(name);
    ERR_clear_error();
    return ok;
}
