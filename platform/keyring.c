/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyring, by libsecret. A locked collection, a secret that isn't there and a prompt that was
 * dismissed look alike to libsecret's simple calls, so looking up searches without unlocking and
 * asks each item whether it is locked.
 */
#include "platform/keyring.h"

#include <libsecret/secret.h>
#include <stdbool.h>

static const SecretSchema SCHEMA = {
    .name = "org.dialtone.Dialtone",
    .flags = SECRET_SCHEMA_NONE,
    .attributes = {{"profile", SECRET_SCHEMA_ATTRIBUTE_STRING},
                   {"kind", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

static GHashTable *attributes_of(const PlatformKeyringName *name)
{
    return secret_attributes_build(&SCHEMA, "profile", name->profile, "kind", name->kind, NULL);
}

/* Nobody on the bus, no bus, or no collection to put anything in. */
static PlatformKeyringResult result_of(const GError *error)
{
    static const struct {
        GQuark (*domain)(void);
        int code;
        PlatformKeyringResult result;
    } MEANINGS[] = {
        {g_dbus_error_quark, G_DBUS_ERROR_SERVICE_UNKNOWN, PLATFORM_KEYRING_NONE},
        {g_dbus_error_quark, G_DBUS_ERROR_NAME_HAS_NO_OWNER, PLATFORM_KEYRING_NONE},
        {g_dbus_error_quark, G_DBUS_ERROR_UNKNOWN_OBJECT, PLATFORM_KEYRING_NONE},
        {g_io_error_quark, G_IO_ERROR_NOT_FOUND, PLATFORM_KEYRING_NONE},
        {g_io_error_quark, G_IO_ERROR_CONNECTION_REFUSED, PLATFORM_KEYRING_NONE},
        {g_io_error_quark, G_IO_ERROR_FAILED, PLATFORM_KEYRING_NONE},
        {secret_error_get_quark, SECRET_ERROR_IS_LOCKED, PLATFORM_KEYRING_LOCKED},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(MEANINGS); i++)
        if (g_error_matches(error, MEANINGS[i].domain(), MEANINGS[i].code))
            return MEANINGS[i].result;
    return PLATFORM_KEYRING_FAILED;
}

static PlatformKeyringResult take_secret(SecretItem *item, char **secret)
{
    if (secret_item_get_locked(item))
        return PLATFORM_KEYRING_LOCKED;
    SecretValue *value = secret_item_get_secret(item);
    if (value == NULL)
        return PLATFORM_KEYRING_NOTHING;
    *secret = secret_value_unref_to_password(value, NULL);
    return *secret != NULL ? PLATFORM_KEYRING_DONE : PLATFORM_KEYRING_NOTHING;
}

PlatformKeyringResult platform_keyring_lookup(const PlatformKeyringName *name, char **secret,
                                              GError **error)
{
    g_autoptr(GError) local = NULL;
    g_autoptr(GHashTable) attributes = attributes_of(name);
    GList *items = secret_service_search_sync(
        NULL, &SCHEMA, attributes, SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS, NULL, &local);
    PlatformKeyringResult result = PLATFORM_KEYRING_NOTHING;
    if (local != NULL) {
        result = result_of(local);
        g_propagate_error(error, g_steal_pointer(&local));
    }
    /* Several collections may have one: the first that is open counts. */
    for (GList *i = items; i != NULL && result != PLATFORM_KEYRING_DONE; i = i->next)
        result = take_secret(i->data, secret);
    g_list_free_full(items, g_object_unref);
    return result;
}

static PlatformKeyringResult end(bool done, GError *local_take, GError **error)
{
    PlatformKeyringResult result = done ? PLATFORM_KEYRING_DONE : PLATFORM_KEYRING_NOTHING;
    if (local_take != NULL) {
        result = result_of(local_take);
        g_propagate_error(error, local_take);
    }
    return result;
}

PlatformKeyringResult platform_keyring_store(const PlatformKeyringName *name, const char *label,
                                             const char *secret, GError **error)
{
    GError *local = NULL;
    g_autoptr(GHashTable) attributes = attributes_of(name);
    bool done = secret_password_storev_sync(&SCHEMA, attributes, SECRET_COLLECTION_DEFAULT, label,
                                            secret, NULL, &local);
    return end(done, local, error);
}

PlatformKeyringResult platform_keyring_unlock(const PlatformKeyringName *name, GError **error)
{
    GError *local = NULL;
    g_autoptr(GHashTable) attributes = attributes_of(name);
    GList *items = secret_service_search_sync(
        NULL, &SCHEMA, attributes, SECRET_SEARCH_ALL | SECRET_SEARCH_UNLOCK, NULL, &local);
    PlatformKeyringResult result = end(false, local, error);
    for (GList *i = items; i != NULL && result != PLATFORM_KEYRING_DONE; i = i->next)
        result = secret_item_get_locked(i->data) ? PLATFORM_KEYRING_LOCKED : PLATFORM_KEYRING_DONE;
    g_list_free_full(items, g_object_unref);
    return result;
}

PlatformKeyringResult platform_keyring_forget(const PlatformKeyringName *name, GError **error)
{
    GError *local = NULL;
    g_autoptr(GHashTable) attributes = attributes_of(name);
    bool done = secret_password_clearv_sync(&SCHEMA, attributes, NULL, &local);
    return end(done, local, error);
}
