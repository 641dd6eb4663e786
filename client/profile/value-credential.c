/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where certificates, keys, authorities and revocation lists come from. Paths are absolute, for
 * the program that reads them may stand elsewhere than the user does, and no value is a secret: a
 * PIN in a token's URI is refused without being quoted.
 */
#include "client/profile/value.h"

#include <string.h>

#include "client/common/i18n.h"

enum { CRLS_MAX = 16, ADDRESS_MAX = 1000 };

static bool check_path(DialtoneValue *value, const char *path)
{
    if (g_path_is_absolute(path) && strlen(path) <= value->row->max)
        return true;
    return dialtone_value_error(value, "%s",
                                _("a path begins with `/`, as in file:/etc/ssl/certs/corp.pem"));
}

/* The path behind `file:`; NULL when it complained. */
static char *file_path(DialtoneValue *value, const char *plain, const char *sources)
{
    if (!g_str_has_prefix(plain, "file:")) {
        g_autofree char *quoted = dialtone_value_quote(plain);
        dialtone_value_error(value, _("%s is no source; write %s"), quoted, sources);
        return NULL;
    }
    const char *path = plain + strlen("file:");
    return check_path(value, path) ? g_strdup(path) : NULL;
}

/* RFC 7512: the query of a URI may hold the PIN itself. */
static bool check_token(DialtoneValue *value, const char *uri)
{
    if (uri[strlen("pkcs11:")] == '\0')
        return dialtone_value_error(value, "%s",
                                    _("nothing stands behind pkcs11:; write which token and "
                                      "object, as in pkcs11:token=Card;object=vpn"));
    if (strstr(uri, "pin-value=") == NULL)
        return true;
    return dialtone_value_error(value, "%s",
                                _("a PIN never stands in a profile; remove pin-value, and write "
                                  "Passphrase= into a file for --secrets, or type it when asked"));
}

bool dialtone_value_certificate(DialtoneValue *value, const char *text)
{
    DialtoneProfile *profile = value->profile;
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    if (strcmp(plain, "keyring") == 0) {
        profile->certificate_source = DIALTONE_CERT_KEYRING;
        return true;
    }
    if (g_str_has_prefix(plain, "pkcs11:")) {
        profile->certificate_source = DIALTONE_CERT_PKCS11;
        if (!check_token(value, plain))
            return false;
        profile->certificate = g_steal_pointer(&plain);
        return true;
    }
    profile->certificate_source = DIALTONE_CERT_FILE;
    profile->certificate =
        file_path(value, plain, "keyring, file:/path.p12, file:/path.pem or pkcs11:...");
    return profile->certificate != NULL;
}

bool dialtone_value_key(DialtoneValue *value, const char *text)
{
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    value->profile->key = file_path(value, plain, "file:/path.key");
    return value->profile->key != NULL;
}

bool dialtone_value_ca(DialtoneValue *value, const char *text)
{
    static const struct {
        const char *prefix;
        DialtoneCaSource source;
    } sources[] = {{"file:", DIALTONE_CA_FILE}, {"directory:", DIALTONE_CA_DIRECTORY}};
    DialtoneProfile *profile = value->profile;
    g_autofree char *plain = dialtone_value_unescape(value, text);

    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    if (strcmp(plain, "system") == 0) {
        profile->ca_source = DIALTONE_CA_SYSTEM;
        return true;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++) {
        if (!g_str_has_prefix(plain, sources[i].prefix))
            continue;
        const char *path = plain + strlen(sources[i].prefix);
        if (!check_path(value, path))
            return false;
        profile->ca_source = sources[i].source;
        profile->ca = g_strdup(path);
        return true;
    }
    g_autofree char *quoted = dialtone_value_quote(text);
    return dialtone_value_error(value,
                                _("%s is no source; write file:/path, directory:/path or "
                                  "system"),
                                quoted);
}

/* Of http alone: a list is signed, and https would need a certificate that may be revoked itself.
 */
static bool is_address(const char *item)
{
    g_autofree char *user = NULL, *host = NULL, *fragment = NULL;
    int port = -1;

    for (const char *at = item; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return false;
    return strlen(item) <= ADDRESS_MAX &&
           g_uri_split(item, G_URI_FLAGS_NONE, NULL, &user, &host, &port, NULL, NULL, &fragment,
                       NULL) &&
           user == NULL && fragment == NULL && host != NULL && host[0] != '\0' && port != 0;
}

/* What the profile names is fetched; what a certificate names is the peer's word, and never is. */
static bool add_crl(DialtoneValue *value, const char *item)
{
    static const char *const prefixes[] = {"file:", "directory:"};
    g_autofree char *quoted = dialtone_value_quote(item);

    for (gsize i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        if (!g_str_has_prefix(item, prefixes[i]))
            continue;
        const char *path = item + strlen(prefixes[i]);
        if (!check_path(value, path))
            return false;
        g_ptr_array_add(value->profile->crls, g_strdup(path));
        return true;
    }
    if (g_str_has_prefix(item, "http://") && is_address(item)) {
        g_ptr_array_add(value->profile->crls, g_strdup(item));
        return true;
    }
    if (strstr(item, "://") != NULL)
        return dialtone_value_error(value,
                                    _("%s is no address that is fetched from; lists are signed, so "
                                      "write http://HOST/PATH"),
                                    quoted);
    return dialtone_value_error(value,
                                _("%s is no source; write file:/path, directory:/path or "
                                  "http://HOST/PATH"),
                                quoted);
}

bool dialtone_value_crls(DialtoneValue *value, const char *text)
{
    g_autofree char *plain = dialtone_value_unescape(value, text);
    if (plain == NULL)
        return false;
    dialtone_value_append_escaped(value->normal, plain);
    g_auto(GStrv) items = dialtone_value_items(value, plain, CRLS_MAX);
    for (gsize i = 0; items != NULL && items[i] != NULL; i++)
        if (!add_crl(value, items[i]))
            return false;
    return items != NULL;
}
