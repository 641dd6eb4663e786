/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets of the system. A file of /etc/dialtone/secrets belongs to root, and nobody may do more
 * than read it, nobody but the service's group at that: root:dialtone 0640 or stricter. What is
 * laxer is refused and not used, for whoever it was lax for knows it by now, and the administrator
 * should.
 *
 * The profile must be one of the system: its UUID decides which file is read, and anybody can write
 * a UUID into a profile of their own.
 */
#include "client/profile/system-secrets.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"

static const char FOLDER[] = "/etc/dialtone/secrets";
static const char GROUP[] = "dialtone";

enum {
    FILE_BYTES_MAX = 64 * 1024,
    CREDENTIALS_MAX = 64,
    GROUP_BYTES_MAX = 64 * 1024,
    /* Execution, writing by the group, and anything by others. */
    FORBIDDEN = 0137,
};

typedef struct {
    char *uuid;
    char *text; /* in memory for secrets; NULL: it could not be read */
    gsize n;
} Credential;

struct DialtoneSystemSecrets {
    char *root_path;
    DialtoneRoot root;
    gid_t group;
    char *credentials_path;
    const DialtoneSecretMemory *memory;
    GArray *credentials;
};

gid_t dialtone_system_group(void)
{
    g_autofree char *buffer = g_malloc(GROUP_BYTES_MAX);
    struct group entry, *found = NULL;

    if (getgrnam_r(GROUP, &entry, buffer, GROUP_BYTES_MAX, &found) != 0 || found == NULL)
        return (gid_t)-1;
    return found->gr_gid;
}

/* ---- credentials ---- */

static void read_credential(DialtoneSystemSecrets *self, int folder, const char *name)
{
    Credential credential = {.uuid = g_ascii_strdown(name, -1)};
    char *text = self->memory->alloc(FILE_BYTES_MAX + 1);
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    gssize got = -1;

    while (text != NULL && fd >= 0 && credential.n <= FILE_BYTES_MAX &&
           (got = read(fd, text + credential.n, FILE_BYTES_MAX + 1 - credential.n)) > 0)
        credential.n += (gsize)got;
    if (got == 0 && credential.n <= FILE_BYTES_MAX)
        credential.text = self->memory->alloc(credential.n + 1);
    if (credential.text != NULL)
        memcpy(credential.text, text, credential.n);
    if (fd >= 0)
        close(fd);
    self->memory->free(text);
    g_array_append_val(self->credentials, credential);
}

/* Only those that are named by a UUID are for us. */
static void read_credentials(DialtoneSystemSecrets *self)
{
    int folder = open(self->credentials_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = folder >= 0 ? fdopendir(folder) : NULL;
    const struct dirent *file;

    if (files == NULL) {
        g_warning("%s can't be read: %s", self->credentials_path, g_strerror(errno));
        if (folder >= 0)
            close(folder);
        return;
    }
    while (self->credentials->len < CREDENTIALS_MAX && (file = readdir(files)) != NULL)
        if (g_uuid_string_is_valid(file->d_name))
            read_credential(self, folder, file->d_name);
    closedir(files);
}

static const Credential *find_credential(const DialtoneSystemSecrets *self, const char *uuid)
{
    for (guint i = 0; i < self->credentials->len; i++) {
        const Credential *credential = &g_array_index(self->credentials, Credential, i);
        if (strcmp(credential->uuid, uuid) == 0)
            return credential;
    }
    return NULL;
}

DialtoneSystemSecrets *dialtone_system_secrets_new(const DialtoneSystemSecretsSetup *setup)
{
    DialtoneSystemSecrets *self = g_new0(DialtoneSystemSecrets, 1);

    self->root_path = g_strdup(setup->root.path);
    self->root = (DialtoneRoot){.path = self->root_path, .owner = setup->root.owner};
    self->group = setup->group;
    self->credentials_path = g_strdup(setup->credentials);
    self->memory = setup->memory;
    self->credentials = g_array_new(FALSE, TRUE, sizeof(Credential));
    if (self->credentials_path != NULL)
        read_credentials(self);
    return self;
}

void dialtone_system_secrets_free(DialtoneSystemSecrets *self)
{
    if (self == NULL)
        return;
    for (guint i = 0; i < self->credentials->len; i++) {
        Credential *credential = &g_array_index(self->credentials, Credential, i);
        g_free(credential->uuid);
        self->memory->free(credential->text);
    }
    g_array_unref(self->credentials);
    g_free(self->credentials_path);
    g_free(self->root_path);
    g_free(self);
}

/* ---- files ---- */

static void refuse(GError **error, const char *path, const char *why)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("A secret of the system belongs to root and the group dialtone, with "
                           "mode 0640."),
                         "%s: %s", path, why);
}

static bool check_group(const DialtoneSystemSecrets *self, int fd, char **whyp)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        *whyp = g_strdup(g_strerror(errno));
        return false;
    }
    if ((info.st_mode & 040) == 0 || info.st_gid == 0 ||
        (self->group != (gid_t)-1 && info.st_gid == self->group))
        return true;
    *whyp = g_strdup(_("a group that is not dialtone can read it; run: chgrp dialtone on it"));
    return false;
}

/* -1 without an error: there is none. */
static int open_file(const DialtoneSystemSecrets *self, const char *uuid, const char *path,
                     GError **error)
{
    const DialtoneOwned rule = {
        .owner = self->root.owner, .forbidden = FORBIDDEN, .max = FILE_BYTES_MAX};
    g_autofree char *why = NULL;
    int folder = dialtone_owned_folder(&self->root, FOLDER, &why);
    int fd = folder >= 0 ? dialtone_owned_open(folder, uuid, &rule, &why) : -1;

    if (folder >= 0)
        close(folder);
    if (fd >= 0 && !check_group(self, fd, &why)) {
        close(fd);
        fd = -1;
    }
    if (why != NULL)
        refuse(error, path, why);
    return fd;
}

static DialtoneSecrets *read_file(const DialtoneSystemSecrets *self, const char *uuid,
                                  const char *path, GError **error)
{
    int fd = open_file(self, uuid, path, error);
    if (fd < 0)
        return NULL;
    DialtoneSecrets *secrets = dialtone_secrets_read(fd, path, self->memory, error);
    close(fd);
    return secrets;
}

static DialtoneSecrets *parse_credential(const DialtoneSystemSecrets *self, const char *uuid,
                                         GError **error)
{
    const Credential *credential = find_credential(self, uuid);

    if (credential == NULL)
        return NULL;
    g_autofree char *path = g_build_filename(self->credentials_path, uuid, NULL);
    if (credential->text != NULL)
        return dialtone_secrets_parse(credential->text, credential->n, path, self->memory, error);
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                         _("%s: the credential could not be read"), path);
    return NULL;
}

/* ---- what a profile takes ---- */

static bool wants_psk(const DialtoneProfile *profile)
{
    return profile->psk_source == DIALTONE_SOURCE_SYSTEM && profile->auth == DIALTONE_AUTH_PSK;
}

static bool wants_password(const DialtoneProfile *profile)
{
    return profile->password_source == DIALTONE_SOURCE_SYSTEM &&
           profile->xauth != DIALTONE_XAUTH_NO;
}

bool dialtone_profile_wants_system_secrets(const DialtoneProfile *profile)
{
    return wants_psk(profile) || wants_password(profile);
}

static void drop(const DialtoneSystemSecrets *self, DialtoneSecret *secret)
{
    secret->bytes = self->memory->free(secret->bytes);
    secret->n = 0;
}

/* A one-time code is good once, and a file stays: it has none for anybody. */
static void keep_wanted(const DialtoneSystemSecrets *self, const DialtoneProfile *profile,
                        DialtoneSecrets *secrets)
{
    if (!wants_psk(profile))
        drop(self, &secrets->psk);
    if (!wants_password(profile)) {
        drop(self, &secrets->password);
        drop(self, &secrets->user);
    }
    while (secrets->n_passcodes > 0)
        drop(self, &secrets->passcodes[--secrets->n_passcodes]);
}

static bool has_wanted(const DialtoneProfile *profile, const DialtoneSecrets *secrets,
                       const char *path, GError **error)
{
    const char *missing = NULL;

    if (wants_psk(profile) && secrets->psk.bytes == NULL)
        missing = "PSK";
    else if (wants_password(profile) && secrets->password.bytes == NULL)
        missing = "Password";
    if (missing == NULL)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_SECRET_MISSING,
                         _("Ask your administrator to write it there."),
                         _("%s has no %s=, and the profile '%s' takes it from there."), path,
                         missing, profile->name);
    return false;
}

static char *path_of(const DialtoneSystemSecrets *self, const DialtoneProfile *profile)
{
    return g_strdup_printf("%s%s/%s", self->root.path, FOLDER, profile->uuid);
}

/* NULL without an error: there are none. */
static DialtoneSecrets *read_any(const DialtoneSystemSecrets *self, const DialtoneProfile *profile,
                                 GError **error)
{
    g_autofree char *path = path_of(self, profile);
    GError *why = NULL;

    if (profile->uuid == NULL)
        return NULL;
    DialtoneSecrets *secrets = read_file(self, profile->uuid, path, &why);
    if (secrets == NULL && why == NULL)
        secrets = parse_credential(self, profile->uuid, &why);
    if (why != NULL)
        g_propagate_error(error, why);
    return secrets;
}

DialtoneSecrets *dialtone_system_secrets_get(const DialtoneSystemSecrets *self,
                                             const DialtoneProfile *profile, GError **error)
{
    GError *why = NULL;
    g_autofree char *path = path_of(self, profile);
    g_autoptr(DialtoneSecrets) secrets = read_any(self, profile, &why);

    if (why != NULL) {
        g_propagate_error(error, why);
        return NULL;
    }
    if (secrets == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_SECRET_MISSING,
                             _("Ask your administrator to put it there, as dialtone-profile(5) "
                               "says under SECRETS OF THE SYSTEM."),
                             _("The profile '%s' takes its secret from the system, and %s is not "
                               "there."),
                             profile->name, path);
        return NULL;
    }
    keep_wanted(self, profile, secrets);
    return has_wanted(profile, secrets, path, error) ? g_steal_pointer(&secrets) : NULL;
}

bool dialtone_system_secrets_passphrase(const DialtoneSystemSecrets *self,
                                        const DialtoneProfile *profile, DialtoneSecrets **secretsp,
                                        GError **error)
{
    GError *why = NULL;
    DialtoneSecrets *secrets = read_any(self, profile, &why);

    if (why != NULL) {
        g_propagate_error(error, why);
        return false;
    }
    if (secrets != NULL) {
        drop(self, &secrets->psk);
        drop(self, &secrets->user);
        drop(self, &secrets->password);
        while (secrets->n_passcodes > 0)
            drop(self, &secrets->passcodes[--secrets->n_passcodes]);
    }
    *secretsp = secrets;
    return true;
}

DialtoneFolderWatch *dialtone_system_secrets_watch(const DialtoneSystemSecrets *self,
                                                   DialtoneFolderChanged changed, gpointer data)
{
    g_autofree char *folder = g_strconcat(self->root.path, FOLDER, NULL);
    const char *const folders[] = {folder, NULL};

    return dialtone_folder_watch_new(folders, changed, data);
}
