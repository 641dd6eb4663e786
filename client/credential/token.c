/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates and keys on PKCS #11 tokens: smart cards, USB sticks, a TPM. p11-kit knows which
 * modules the computer has and matches the profile's URI (RFC 7512); everything else is said to
 * the module directly. The key belonging to a certificate is the one with the same CKA_ID.
 *
 * A wrong PIN is never given twice by itself: three of them lock most cards. A person who typed one
 * is told so, and whether another try is the last, before they are asked again.
 */
#include "client/credential/private.h"

#include <openssl/err.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/credential/p11.h"

enum { ID_MAX = 256, VALUE_MAX = 16 * 1024, CERTIFICATES_MAX = 32, SLOTS_MAX = 64 };

struct DialtoneToken {
    CK_FUNCTION_LIST **modules;
    CK_FUNCTION_LIST *module;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    CK_FLAGS flags;
    bool each_time; /* a signature wants a login of its own */
    char *label;
    guint8 id[ID_MAX];
    gsize id_n;
    char *pin; /* in secret memory, where each signature wants it; NULL: the reader has a keypad */
    CK_RV refused; /* how the PIN of a signature was, so that none is made any more; CKR_OK: none */
    const DialtoneSecretMemory *memory;
};

void credential_token_free(DialtoneToken *self)
{
    if (self == NULL)
        return;
    if (self->session != 0)
        self->module->C_CloseSession(self->session);
    if (self->modules != NULL)
        credential_p11()->modules_finalize_and_release(self->modules);
    if (self->pin != NULL)
        self->memory->free(self->pin);
    g_free(self->label);
    g_free(self);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DialtoneToken, credential_token_free)

static bool fail(const DialtoneToken *self, GError **error, const char *what, CK_RV why)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Check that the token is there and is the one that [Identity] "
                           "Certificate names; `p11-kit list-tokens` shows what this computer "
                           "sees."),
                         _("The token %s: %s (%s)."), self->label, what,
                         credential_p11()->strerror(why));
    return false;
}

/* ---- attributes ---- */

/* 0: it has none, or a longer one. */
static gsize attribute(const DialtoneToken *self, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type,
                       void *value, gsize size)
{
    CK_ATTRIBUTE wanted = {.type = type, .pValue = value, .ulValueLen = size};
    CK_RV result = self->module->C_GetAttributeValue(self->session, object, &wanted, 1);

    return result == CKR_OK && wanted.ulValueLen <= size ? wanted.ulValueLen : 0;
}

static X509 *certificate_of(const DialtoneToken *self, CK_OBJECT_HANDLE object)
{
    g_autofree guint8 *value = g_malloc(VALUE_MAX);
    gsize n = attribute(self, object, CKA_VALUE, value, VALUE_MAX);
    const guint8 *der = value;
    X509 *certificate = n > 0 ? d2i_X509(NULL, &der, (long)n) : NULL;

    ERR_clear_error();
    return certificate;
}

static CK_ULONG find(const DialtoneToken *self, CK_OBJECT_CLASS class, bool with_id,
                     CK_OBJECT_HANDLE *objects, CK_ULONG max)
{
    CK_ATTRIBUTE wanted[] = {
        {.type = CKA_CLASS, .pValue = &class, .ulValueLen = sizeof(class)},
        {.type = CKA_ID, .pValue = (void *)(uintptr_t)self->id, .ulValueLen = self->id_n},
    };
    CK_ULONG n = 0;

    if (self->module->C_FindObjectsInit(self->session, wanted, with_id ? 2 : 1) != CKR_OK)
        return 0;
    if (self->module->C_FindObjects(self->session, objects, max, &n) != CKR_OK)
        n = 0;
    self->module->C_FindObjectsFinal(self->session);
    return MIN(n, max);
}

/* Some of the token's other certificates may be our issuers. */
static void add_others(const DialtoneToken *self, GPtrArray *certificates)
{
    CK_OBJECT_HANDLE objects[CERTIFICATES_MAX];
    CK_ULONG n = find(self, CKO_CERTIFICATE, false, objects, CERTIFICATES_MAX);

    for (CK_ULONG i = 0; i < n; i++) {
        X509 *certificate = certificate_of(self, objects[i]);
        if (certificate == NULL)
            continue;
        if (X509_cmp(certificate, certificates->pdata[0]) == 0)
            X509_free(certificate);
        else
            g_ptr_array_add(certificates, certificate);
    }
}

/* ---- finding ---- */

static void take(DialtoneToken *self, const CK_TOKEN_INFO *info, CK_OBJECT_HANDLE object)
{
    g_autofree char *label = credential_p11()->space_strdup(info->label, sizeof(info->label));

    self->id_n = attribute(self, object, CKA_ID, self->id, sizeof(self->id));
    self->flags = info->flags;
    g_free(self->label);
    self->label =
        dialtone_text_clean(label, strlen(label), sizeof(info->label), DIALTONE_TEXT_LINE);
}

/* What the URI says of the object, and that it is a certificate: type=private is as good a way to
 * name the pair. */
static CK_ULONG find_named(const DialtoneToken *self, P11KitUri *uri, CK_OBJECT_HANDLE *object)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ULONG n = 0, found = 0;
    credential_p11()->uri_clear_attribute(uri, CKA_CLASS);
    const CK_ATTRIBUTE *named = credential_p11()->uri_get_attributes(uri, &n);
    g_autofree CK_ATTRIBUTE *wanted = g_new(CK_ATTRIBUTE, n + 1);

    wanted[0] = (CK_ATTRIBUTE){.type = CKA_CLASS, .pValue = &class, .ulValueLen = sizeof(class)};
    for (CK_ULONG i = 0; i < n; i++)
        wanted[i + 1] = named[i];
    if (self->module->C_FindObjectsInit(self->session, wanted, n + 1) != CKR_OK)
        return 0;
    if (self->module->C_FindObjects(self->session, object, 1, &found) != CKR_OK)
        found = 0;
    self->module->C_FindObjectsFinal(self->session);
    return found;
}

/* The session stays open when the certificate is there. */
static bool look_into_slot(DialtoneToken *self, CK_SLOT_ID slot, P11KitUri *uri,
                           GPtrArray *certificates)
{
    CK_TOKEN_INFO info;
    CK_OBJECT_HANDLE object = 0;
    X509 *certificate = NULL;

    if (self->module->C_GetTokenInfo(slot, &info) != CKR_OK ||
        credential_p11()->uri_match_token_info(uri, &info) != 1 ||
        self->module->C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &self->session) != CKR_OK)
        return false;
    if (find_named(self, uri, &object) == 1)
        certificate = certificate_of(self, object);
    if (certificate != NULL) {
        take(self, &info, object);
        self->slot = slot;
        g_ptr_array_add(certificates, certificate);
        return true;
    }
    self->module->C_CloseSession(self->session);
    self->session = 0;
    return false;
}

static bool look_into_module(DialtoneToken *self, P11KitUri *uri, GPtrArray *certificates)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;
    CK_INFO info;

    if (self->module->C_GetInfo(&info) != CKR_OK ||
        credential_p11()->uri_match_module_info(uri, &info) != 1 ||
        self->module->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
        return false;
    for (CK_ULONG i = 0; i < MIN(n, SLOTS_MAX); i++)
        if (look_into_slot(self, slots[i], uri, certificates))
            return true;
    return false;
}

static bool find_certificate(DialtoneToken *self, P11KitUri *uri, GPtrArray *certificates)
{
    for (gsize i = 0; self->modules[i] != NULL; i++) {
        self->module = self->modules[i];
        if (look_into_module(self, uri, certificates))
            return true;
    }
    return false;
}

/* ---- logging in ---- */

static CK_RV give_pin(const DialtoneToken *self, CK_USER_TYPE user, const char *pin)
{
    CK_UTF8CHAR *bytes = (CK_UTF8CHAR *)(uintptr_t)pin;

    return self->module->C_Login(self->session, user, bytes, pin != NULL ? strlen(pin) : 0);
}

static bool pin_refused(const DialtoneToken *self, GError **error, CK_RV why)
{
    if (why == CKR_PIN_LOCKED) {
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("Unlock it with the PUK that came with the token, or ask your "
                               "administrator."),
                             _("The PIN of the token %s is locked, for a wrong one was given too "
                               "often."),
                             self->label);
        return false;
    }
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Correct Passphrase= in the secrets file, or connect again and type "
                           "the PIN when asked. It is not tried again by itself, lest the token "
                           "gets locked."),
                         _("The token %s refused the PIN (%s)."), self->label,
                         credential_p11()->strerror(why));
    return false;
}

static bool is_logged_in(CK_RV result)
{
    return result == CKR_OK || result == CKR_USER_ALREADY_LOGGED_IN;
}

/* It is another PIN that the token wants, and it takes one still. */
static bool is_wrong(CK_RV result)
{
    return result == CKR_PIN_INCORRECT || result == CKR_PIN_INVALID || result == CKR_PIN_LEN_RANGE;
}

static bool has_keypad(const DialtoneToken *self)
{
    return (self->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

/* The caller frees it. @why: how the token refused the PIN before. */
static char *want_of(const DialtoneToken *self, CK_RV why)
{
    if (why != CKR_OK)
        return g_strdup_printf(_("The token %s refused the PIN (%s)."), self->label,
                               credential_p11()->strerror(why));
    if (has_keypad(self))
        return g_strdup_printf(_("Enter the PIN of the token %s on the reader's keypad."),
                               self->label);
    return g_strdup_printf(_("The token %s wants its PIN."), self->label);
}

/* What a person is told beside the question. */
static char *hint_of(DialtoneToken *self, CK_RV why)
{
    CK_TOKEN_INFO info;
    if (self->module->C_GetTokenInfo(self->slot, &info) == CKR_OK)
        self->flags = info.flags;
    g_autofree char *text = want_of(self, why);
    if ((self->flags & CKF_USER_PIN_FINAL_TRY) == 0)
        return g_steal_pointer(&text);
    return g_strconcat(text, " ", _("This is the last try before it locks its PIN."), NULL);
}

/* The keyring's PIN is given once, and never as the last try before the token locks: that one is a
 * person's. *whyp: how the token refused it; CKR_OK: there was none. */
static bool log_in_by_kept_pin(DialtoneToken *self, const DialtoneCredentialAccess *access,
                               CK_RV *whyp)
{
    if ((self->flags & CKF_USER_PIN_FINAL_TRY) == 0)
        self->pin = credential_kept(access, "pin");
    if (self->pin == NULL)
        return false;
    CK_RV result = give_pin(self, CKU_USER, self->pin);
    if (is_logged_in(result))
        return true;
    self->pin = self->memory->free(self->pin);
    if (is_wrong(result) && access->forget != NULL)
        access->forget("pin", access->data);
    *whyp = result;
    return false;
}

static bool log_in_by_pin(DialtoneToken *self, const DialtoneCredentialAccess *access,
                          GError **error)
{
    g_autofree char *prompt = g_strdup_printf(_("PIN of the token %s: "), self->label);
    int attempts = credential_passphrase_is_known(access) ? 1 : CREDENTIAL_ATTEMPTS;
    CK_RV result = CKR_OK;

    if (log_in_by_kept_pin(self, access, &result))
        return true;
    const bool was_kept = result != CKR_OK;
    for (int i = was_kept ? 1 : 0; i == 0 || (i < attempts && is_wrong(result)); i++) {
        g_autofree char *hint = hint_of(self, result);
        if ((self->flags & CKF_USER_PIN_LOCKED) != 0)
            return pin_refused(self, error, CKR_PIN_LOCKED);
        const bool last = (self->flags & CKF_USER_PIN_FINAL_TRY) != 0;
        const DialtoneKeyQuestion question = {
            .prompt = prompt, .hint = hint, .pin = true, .again = i > 0 || last};
        self->pin = credential_passphrase(access, &question, was_kept ? NULL : error);
        if (self->pin == NULL)
            return was_kept && pin_refused(self, error, result);
        result = give_pin(self, CKU_USER, self->pin);
        if (is_logged_in(result))
            return true;
        self->pin = self->memory->free(self->pin);
    }
    return pin_refused(self, error, result);
}

/* The reader has the word until it is done; nobody can type a PIN that is not told to. */
static bool log_in_by_keypad(DialtoneToken *self, const DialtoneCredentialAccess *access,
                             GError **error)
{
    g_autofree char *hint = hint_of(self, CKR_OK);
    const DialtoneKeyQuestion question = {.hint = hint, .pin = true, .keypad = true};
    if (access->ask != NULL)
        (void)access->ask(&question, NULL, 0, access->data);
    CK_RV result = give_pin(self, CKU_USER, NULL);
    return is_logged_in(result) || pin_refused(self, error, result);
}

static bool log_in(DialtoneToken *self, const DialtoneCredentialAccess *access, GError **error)
{
    if ((self->flags & CKF_LOGIN_REQUIRED) == 0)
        return true;
    if ((self->flags & CKF_USER_PIN_LOCKED) != 0)
        return pin_refused(self, error, CKR_PIN_LOCKED);
    self->memory = access->memory;
    return has_keypad(self) ? log_in_by_keypad(self, access, error)
                            : log_in_by_pin(self, access, error);
}

static bool find_key(DialtoneToken *self, GError **error)
{
    CK_BBOOL each_time = CK_FALSE;

    if (find(self, CKO_PRIVATE_KEY, true, &self->key, 1) != 1)
        return fail(self, error, _("no private key belongs to the certificate"),
                    CKR_KEY_HANDLE_INVALID);
    attribute(self, self->key, CKA_ALWAYS_AUTHENTICATE, &each_time, sizeof(each_time));
    self->each_time = each_time != CK_FALSE;
    if (!self->each_time && self->pin != NULL)
        self->pin = self->memory->free(self->pin);
    return true;
}

/* ---- from outside ---- */

static bool parse_uri(P11KitUri *uri, const char *text, GError **error)
{
    int result = credential_p11()->uri_parse(text, P11_KIT_URI_FOR_ANY, uri);

    if (result == P11_KIT_URI_OK && credential_p11()->uri_get_pin_source(uri) == NULL)
        return true;
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                         _("Write [Identity] Certificate as `p11tool --list-all` or `pkcs11-tool "
                           "--list-objects` show it, as in pkcs11:token=Card;object=vpn."),
                         _("[Identity] Certificate: %s"),
                         result != P11_KIT_URI_OK
                             ? credential_p11()->uri_message(result)
                             : _("pin-source is not read; remove it, and write Passphrase= into a "
                                 "file for --secrets"));
    return false;
}

static bool open_uri(DialtoneToken *self, P11KitUri *uri, GPtrArray *certificates, GError **error)
{
    self->modules = credential_p11()->modules_load_and_initialize(0);
    if (self->modules == NULL) {
        const char *why = credential_p11()->message();
        return fail(self, error, why != NULL ? why : "p11-kit", CKR_GENERAL_ERROR);
    }
    if (!find_certificate(self, uri, certificates))
        return fail(self, error, _("no certificate is at this address"), CKR_OBJECT_HANDLE_INVALID);
    add_others(self, certificates);
    return true;
}

DialtoneToken *credential_token_open(const char *text, const DialtoneCredentialAccess *access,
                                     bool login, GPtrArray *certificates, GError **error)
{
    if (credential_p11() == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL,
                             _("Install p11-kit (the package libp11-kit0 of Debian and Ubuntu), "
                               "and the module that came with the token."),
                             _("Tokens are read with p11-kit, and libp11-kit.so.0 is not there."));
        return NULL;
    }
    g_autoptr(DialtoneToken) self = g_new0(DialtoneToken, 1);
    P11KitUri *uri = credential_p11()->uri_new();

    self->label = g_strdup(text);
    credential_p11()->be_quiet();
    bool ok = parse_uri(uri, text, error) && open_uri(self, uri, certificates, error);
    credential_p11()->uri_free(uri);
    if (!ok || (login && (!log_in(self, access, error) || !find_key(self, error))))
        return NULL;
    return g_steal_pointer(&self);
}

char *credential_token_keypad(DialtoneToken *self)
{
    const bool is_typed = self->each_time && has_keypad(self) && self->refused == CKR_OK;

    return is_typed ? hint_of(self, CKR_OK) : NULL;
}

/* A key that wants its PIN for each signature gets it between the two steps. */
static CK_RV sign(DialtoneToken *self, const DialtoneDigest *digest, guint8 *signature,
                  CK_ULONG *np)
{
    CK_MECHANISM mechanism = {.mechanism = digest->ecdsa ? CKM_ECDSA : CKM_RSA_PKCS};
    guint8 bytes[sizeof(digest->bytes)];
    CK_RV result = self->module->C_SignInit(self->session, &mechanism, self->key);

    if (result == CKR_OK && self->each_time)
        result = give_pin(self, CKU_CONTEXT_SPECIFIC, self->pin);
    memcpy(bytes, digest->bytes, sizeof(bytes));
    if (result == CKR_OK)
        result = self->module->C_Sign(self->session, bytes, digest->n, signature, np);
    return result;
}

/* A renewal that fails is tried again within seconds: a PIN that was changed elsewhere would lock
 * the token before anybody has read why, and a keypad would ask time and again. */
static void refuse_signatures(DialtoneToken *self, CK_RV why, GError **error)
{
    self->refused = why;
    if (self->pin != NULL)
        self->pin = self->memory->free(self->pin);
    pin_refused(self, error, why);
}

GBytes *credential_token_sign(DialtoneToken *self, const DialtoneDigest *digest, GError **error)
{
    guint8 signature[DIALTONE_SIGNATURE_MAX];
    CK_ULONG n = sizeof(signature);
    CK_RV result = self->refused != CKR_OK ? self->refused : sign(self, digest, signature, &n);

    if (result == CKR_OK && n <= sizeof(signature))
        return g_bytes_new(signature, n);
    if (is_wrong(result) || result == CKR_PIN_LOCKED)
        refuse_signatures(self, result, error);
    else
        fail(self, error, _("it gave no signature"), result);
    return NULL;
}
