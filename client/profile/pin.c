/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pins: a small key file a profile, in the user's own state. Trust on first use, as with the keys
 * of SSH hosts: what is kept is no secret, and what is compared is what the gateway has proven by
 * the preshared key or its certificate. A file that can't be read or written costs the warning, not
 * the connection.
 */
#include "client/profile/pin.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

#include "client/common/i18n.h"
#include "client/profile/folder.h"

#define GROUP "Gateway"

char *dialtone_pin_folder(uid_t caller)
{
    return dialtone_folder(caller, "XDG_STATE_HOME", ".local/state", "gateways");
}

/* Names of profiles have no slash and begin with neither a dot nor a hyphen; what came by another
 * way must not lead out of the folder. */
static char *path_of(const char *folder, const char *profile, const char *member)
{
    g_autofree char *name = member != NULL ? g_strdup_printf("%s@%s.gateway", profile, member)
                                           : g_strdup_printf("%s.gateway", profile);

    return g_build_filename(folder, g_strdelimit(name, "/", '_'), NULL);
}

static char *read_value(GKeyFile *file, const char *key)
{
    return g_key_file_get_string(file, GROUP, key, NULL);
}

static void set_value(GKeyFile *file, const char *key, const char *value)
{
    if (value != NULL)
        g_key_file_set_string(file, GROUP, key, value);
}

static void remember(const char *folder, const char *path, const DialtonePin *seen)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    gsize n = 0;

    set_value(file, "ID", seen->id);
    set_value(file, "Vendor", seen->vendor);
    set_value(file, "Certificate", seen->certificate);
    set_value(file, "Issuer", seen->issuer);
    g_autofree char *text = g_key_file_to_data(file, &n, NULL);
    if (g_mkdir_with_parents(folder, 0700) != 0 ||
        !g_file_set_contents_full(path, text, (gssize)n, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error))
        g_debug("who the gateway is can't be remembered: %s",
                error != NULL ? error->message : g_strerror(errno));
}

/* "fqdn:gw.example.com (Junos)" */
static char *describe(const char *id, const char *vendor, const char *certificate)
{
    GString *text = g_string_new(id);

    if (vendor != NULL)
        g_string_append_printf(text, " (%s)", vendor);
    if (certificate != NULL)
        g_string_append_printf(text, _(", certificate %.16s..."), certificate);
    return g_string_free(text, FALSE);
}

static char *warn(const char *profile, const char *path, const DialtonePin *known,
                  const DialtonePin *seen)
{
    g_autofree char *before = describe(known->id, known->vendor, known->certificate);
    g_autofree char *now = describe(seen->id, seen->vendor, seen->certificate);

    return g_strdup_printf(
        _("Warning: the gateway of %s is not the one it was: it was %s, and is %s now. Whoever "
          "has the same preshared key can pose as the gateway: type no password until its "
          "administrator says that it changed. Then write [Gateway] RemoteID=%s into the profile, "
          "or remove %s."),
        profile, before, now, seen->id, path);
}

/* A RemoteID would have to be that of the one that sent us on, too. */
static char *warn_of_member(const char *profile, const char *path, const char *member,
                            const DialtonePin *known, const DialtonePin *seen)
{
    g_autofree char *before = describe(known->id, known->vendor, known->certificate);
    g_autofree char *now = describe(seen->id, seen->vendor, seen->certificate);

    return g_strdup_printf(
        _("Warning: %s, which is called for the gateway of %s, is not the one it was: it was %s, "
          "and is %s now. Whoever has the same preshared key can pose as the gateway: type no "
          "password until its administrator says that it changed. Then remove %s."),
        member, profile, before, now, path);
}

static char *note_member(const char *profile, const char *member, const DialtonePin *seen)
{
    g_autofree char *now = describe(seen->id, seen->vendor, seen->certificate);

    return g_strdup_printf(_("Note: for the gateway of %s another one is called, %s: %s."), profile,
                           member, now);
}

static char *warn_of_issuer(const char *profile, const char *path, const DialtonePin *known,
                            const DialtonePin *seen)
{
    return g_strdup_printf(
        _("Warning: the certificate that the gateway of %s shows has another issuer than before: "
          "it was %s, and is %s now. [Identity] CA allows both, and still somebody may pose as the "
          "gateway: disconnect, and type no password, until its administrator says that it "
          "changed. Then remove %s."),
        profile, known->issuer != NULL ? known->issuer : "?",
        seen->issuer != NULL ? seen->issuer : "?", path);
}

static char *note_renewal(const char *profile, const DialtonePin *seen)
{
    return g_strdup_printf(_("Note: the gateway of %s shows a new certificate (%.16s...), of the "
                             "same issuer as before: %s."),
                           profile, seen->certificate, seen->issuer);
}

static bool is_as_before(const DialtonePin *known, const DialtonePin *seen)
{
    return g_strcmp0(known->id, seen->id) == 0 && g_strcmp0(known->vendor, seen->vendor) == 0 &&
           g_strcmp0(known->certificate, seen->certificate) == 0;
}

/* Both showed one, and they differ. */
static bool is_other_certificate(const DialtonePin *known, const DialtonePin *seen)
{
    return known->certificate != NULL && seen->certificate != NULL &&
           strcmp(known->certificate, seen->certificate) != 0;
}

char *dialtone_pin_check(const char *folder, const char *profile, const char *member,
                         const DialtonePin *seen, bool proven)
{
    g_autofree char *path = path_of(folder, profile, member);
    g_autoptr(GKeyFile) file = g_key_file_new();
    bool first = !g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL);
    g_autofree char *id = read_value(file, "ID");
    g_autofree char *vendor = read_value(file, "Vendor");
    g_autofree char *certificate = read_value(file, "Certificate");
    g_autofree char *issuer = read_value(file, "Issuer");
    const DialtonePin known = {id, vendor, certificate, issuer};

    if (!first && is_as_before(&known, seen))
        return NULL;
    if (first || id == NULL) {
        remember(folder, path, seen);
        return member != NULL ? note_member(profile, member, seen) : NULL;
    }
    bool renewed = is_other_certificate(&known, seen);
    if (renewed && (issuer == NULL || g_strcmp0(issuer, seen->issuer) != 0))
        return warn_of_issuer(profile, path, &known, seen);
    if (!proven && member != NULL)
        return warn_of_member(profile, path, member, &known, seen);
    if (!proven)
        return warn(profile, path, &known, seen);
    remember(folder, path, seen);
    return renewed ? note_renewal(profile, seen) : NULL;
}
