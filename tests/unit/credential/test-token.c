/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A key that never leaves its token: SoftHSM2 stands for a smart card. */
#include "credential-kit.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <string.h>

#include "client/common/failure.h"
#include "client/credential/p11.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"

static KitPair root, alice;

static void run(const char *command)
{
    g_autofree char *out = NULL, *err = NULL;
    int status = 0;
    assert_true(g_spawn_command_line_sync(command, &out, &err, &status, NULL));
    if (status != 0)
        fail_msg("%s: %s%s", command, out, err);
}

/* A token with the PIN 1234 and one pair in it, made by the tools that an administrator uses. */
static void fill_token(void)
{
    static const char words[] = "pkcs11-tool --module " MODULE " --token-label Card --login --pin "
                                "1234 --id 01 --label vpn --write-object %s --type %s";
    X509 *const certificates[] = {alice.certificate, NULL};
    g_autofree char *key = kit_write_pem("key.pem", alice.key, NULL, NULL);
    g_autofree char *pem = kit_write_pem("certificate.pem", NULL, certificates, NULL);
    g_autofree char *der = kit_path("certificate.der");
    g_autofree char *convert =
        g_strdup_printf("openssl x509 -in %s -outform der -out %s", pem, der);
    g_autofree char *import = g_strdup_printf("softhsm2-util --import %s --token Card --label vpn "
                                              "--id 01 --pin 1234",
                                              key);
    g_autofree char *write = g_strdup_printf(words, der, "cert");
    run("softhsm2-util --init-token --free --label Card --so-pin 123456 --pin 1234");
    run(convert);
    run(import);
    run(write);
}

static void make_token(const char *kind)
{
    g_autofree char *tokens = kit_path("tokens"), *conf = kit_path("softhsm2.conf");
    g_autofree char *text =
        g_strdup_printf("directories.tokendir = %s\nobjectstore.backend = file\n"
                        "log.level = ERROR\nslots.removable = false\n",
                        tokens);
    assert_int_equal(g_mkdir(tokens, 0700), 0);
    assert_true(g_file_set_contents(conf, text, -1, NULL));
    g_setenv("SOFTHSM2_CONF", conf, TRUE);
    kit_pair_clear(&root);
    kit_pair_clear(&alice);
    root = kit_pair("P-256", "Root", NULL, NULL);
    alice = kit_pair(kind, "Alice", "email:alice@example.com", &root);
    fill_token();
}

static DialtoneProfile *profile_of(const char *uri)
{
    X509 *const authorities[] = {root.certificate, NULL};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    g_autofree char *line = g_strdup_printf("Certificate=%s", uri);
    return kit_profile(ca, line);
}

static const DialtoneSecret *pin_of(const char *text)
{
    static DialtoneSecret pin;
    pin = (DialtoneSecret){.bytes = (guint8 *)(uintptr_t)text, .n = strlen(text)};
    return &pin;
}

static bool verifies(const DialtoneDigest *digest, GBytes *signature)
{
    gsize n = 0;
    const guint8 *bytes = g_bytes_get_data(signature, &n);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(alice.key, NULL);
    bool ok = EVP_PKEY_verify_init(context) == 1 &&
              EVP_PKEY_verify(context, bytes, n, digest->bytes, digest->n) == 1;
    EVP_PKEY_CTX_free(context);
    return ok;
}

static void a_token_signs_with_rsa(void **state)
{
    const DialtoneDigest digest = {.n = 20, .bytes = "twenty bytes of hash"};
    DialtoneCredentialAccess access = kit_access();
    make_token("rsa2048");
    access.passphrase = pin_of("1234");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card;object=vpn;type=private");
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    g_autoptr(GBytes) signature = dialtone_credential_sign(credential, &digest, NULL);
    assert_non_null(signature);
    assert_true(verifies(&digest, signature));
    assert_string_equal(dialtone_credential_certificate(credential)->subject, "CN=Alice");
}

static void a_token_signs_with_ecdsa(void **state)
{
    const DialtoneDigest digest = {.ecdsa = true, .n = 48};
    DialtoneCredentialAccess access = kit_access();
    make_token("P-384");
    access.passphrase = pin_of("1234");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card;id=%01");
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    g_autoptr(GBytes) signature = dialtone_credential_sign(credential, &digest, NULL);
    assert_int_equal(g_bytes_get_size(signature), 96);
}

/* ---- a reader with a keypad, and a key that wants its PIN for each signature ---- */

const CredentialP11 *__real_credential_p11(void);
const CredentialP11 *__wrap_credential_p11(void);

static CK_FUNCTION_LIST card;        /* SoftHSM2's own functions */
static CK_FUNCTION_LIST reader;      /* what takes their place; NULL: nothing does */
static bool is_missing;              /* libp11-kit */
static guint typed_users, typed_for; /* how often the PIN was typed: to begin, and to sign */

static CK_RV last_try_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV result = card.C_GetTokenInfo(slot, info);
    info->flags |= CKF_USER_PIN_FINAL_TRY;
    return result;
}

static CK_RV keypad_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV result = card.C_GetTokenInfo(slot, info);
    info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return result;
}

static CK_RV keypad_attribute(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                              CK_ATTRIBUTE_PTR wanted, CK_ULONG n)
{
    CK_RV result = card.C_GetAttributeValue(session, object, wanted, n);
    if (wanted[0].type == CKA_ALWAYS_AUTHENTICATE) {
        *(CK_BBOOL *)wanted[0].pValue = CK_TRUE;
        wanted[0].ulValueLen = sizeof(CK_BBOOL);
        return CKR_OK;
    }
    return result;
}

static CK_RV keypad_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                          CK_ULONG n)
{
    assert_null(pin);
    assert_int_equal(n, 0);
    if (user == CKU_CONTEXT_SPECIFIC) {
        typed_for++;
        return CKR_OK;
    }
    typed_users++;
    return card.C_Login(session, user, (CK_UTF8CHAR_PTR) "1234", 4);
}

static CK_RV keypad_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG n,
                         CK_BYTE_PTR signature, CK_ULONG_PTR signature_n)
{
    if (typed_for == 0)
        return CKR_USER_NOT_LOGGED_IN;
    return card.C_Sign(session, data, n, signature, signature_n);
}

static CK_FUNCTION_LIST **load_modules(int flags)
{
#define PUT(name) modules[i]->name = reader.name != NULL ? reader.name : card.name
    CK_FUNCTION_LIST **modules = __real_credential_p11()->modules_load_and_initialize(flags);
    for (gsize i = 0; modules != NULL && modules[i] != NULL; i++) {
        CK_INFO info;
        assert_int_equal(modules[i]->C_GetInfo(&info), CKR_OK);
        if (memcmp(info.manufacturerID, "SoftHSM", 7) != 0)
            continue;
        card = *modules[i];
        PUT(C_GetTokenInfo);
        PUT(C_GetAttributeValue);
        PUT(C_Login);
        PUT(C_Sign);
    }
    return modules;
}

const CredentialP11 *__wrap_credential_p11(void)
{
    static CredentialP11 p11;
    if (is_missing)
        return NULL;
    p11 = *__real_credential_p11();
    p11.modules_load_and_initialize = load_modules;
    return &p11;
}

static void a_pin_is_typed_on_the_keypad_for_each_signature(void **state)
{
    const DialtoneDigest digest = {.n = 20, .bytes = "twenty bytes of hash"};
    static const char words[] = "Enter the PIN of the token Card on the reader's keypad.";
    DialtoneCredentialAccess access = kit_access();
    make_token("rsa2048");
    reader = (CK_FUNCTION_LIST){.C_GetTokenInfo = keypad_info,
                                .C_GetAttributeValue = keypad_attribute,
                                .C_Login = keypad_login,
                                .C_Sign = keypad_sign};
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card;object=vpn");
    kit_will_answer(&access, NULL);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    reader = (CK_FUNCTION_LIST){0};
    assert_int_equal(typed_users, 1);
    assert_true(kit_keypad);
    assert_string_equal(kit_hint, words);
    g_autofree char *told = dialtone_credential_keypad(credential);
    assert_string_equal(told, words);
    for (guint i = 1; i <= 2; i++) {
        g_autoptr(GBytes) signature = dialtone_credential_sign(credential, &digest, NULL);
        assert_non_null(signature);
        assert_true(verifies(&digest, signature));
        assert_int_equal(typed_for, i);
    }
}

/* ---- a card that has had enough ---- */

static CK_RV locked_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                          CK_ULONG n)
{
    return CKR_PIN_LOCKED;
}

static CK_RV locked_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV result = card.C_GetTokenInfo(slot, info);
    info->flags |= CKF_USER_PIN_LOCKED;
    return result;
}

static void expect_locked(const DialtoneCredentialAccess *access)
{
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    g_autoptr(GError) error = NULL;
    assert_null(dialtone_credential_load(profile, access, &error));
    assert_non_null(strstr(error->message, "The PIN of the token Card is locked"));
    assert_non_null(strstr(dialtone_failure_advice(error), "Unlock it with the PUK"));
}

static void a_pin_that_is_locked_is_told_with_what_unlocks_it(void **state)
{
    static const char *const answers[] = {"4321", "1234", NULL};
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    kit_will_answer(&access, answers);
    reader = (CK_FUNCTION_LIST){.C_Login = locked_login};
    expect_locked(&access);
    assert_int_equal(kit_asked, 1);
    reader = (CK_FUNCTION_LIST){.C_GetTokenInfo = locked_info};
    expect_locked(&access);
    assert_int_equal(kit_asked, 1);
    reader = (CK_FUNCTION_LIST){0};
}

/* ---- a PIN that was changed elsewhere, or is mistyped, after the connection was made ---- */

static CK_RV sign_refusal; /* of the login that a signature wants */
static guint sign_logins;

static CK_RV changed_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                           CK_ULONG n)
{
    if (user != CKU_CONTEXT_SPECIFIC)
        return card.C_Login(session, user, (CK_UTF8CHAR_PTR) "1234", 4);
    sign_logins++;
    return sign_refusal;
}

static void expect_refused_once(const DialtoneCredentialAccess *access, CK_RV why,
                                const char *message, const char *advice)
{
    const DialtoneDigest digest = {.n = 20, .bytes = "twenty bytes of hash"};
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card;object=vpn");
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, access);
    sign_refusal = why;
    sign_logins = 0;
    for (guint i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        assert_null(dialtone_credential_sign(credential, &digest, &error));
        assert_non_null(strstr(error->message, message));
        assert_non_null(strstr(dialtone_failure_advice(error), advice));
    }
    assert_int_equal(sign_logins, 1);
    assert_null(dialtone_credential_keypad(credential));
}

static void a_pin_that_a_signature_was_refused_with_is_not_given_again(void **state)
{
    static const char refused[] = "The token Card refused the PIN", again[] = "connect again";
    DialtoneCredentialAccess access = kit_access();
    make_token("rsa2048");
    access.passphrase = pin_of("1234");
    reader = (CK_FUNCTION_LIST){.C_GetAttributeValue = keypad_attribute, .C_Login = changed_login};
    expect_refused_once(&access, CKR_PIN_INCORRECT, refused, again);
    expect_refused_once(&access, CKR_PIN_LOCKED, "The PIN of the token Card is locked", "PUK");
    reader.C_GetTokenInfo = keypad_info;
    kit_will_answer(&access, NULL);
    expect_refused_once(&access, CKR_PIN_INCORRECT, refused, again);
    reader = (CK_FUNCTION_LIST){0};
}

static void a_person_who_mistyped_the_pin_is_told_and_asked_again(void **state)
{
    static const char *const answers[] = {"4321", "1234", NULL};
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer(&access, answers);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(kit_asked, 2);
    assert_non_null(strstr(kit_hint, "The token Card refused the PIN"));
    assert_false(kit_keypad);
    assert_null(dialtone_credential_keypad(credential));
}

static void three_wrong_pins_are_enough(void **state)
{
    static const char *const answers[] = {"4321", "5432", "6543", "1234", NULL};
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer(&access, answers);
    kit_expect_refused(profile, &access, "refused the PIN");
    assert_int_equal(kit_asked, 3);
}

static void a_wrong_pin_of_the_secrets_file_is_given_once(void **state)
{
    static const char *const answers[] = {"1234", NULL};
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    access.passphrase = pin_of("4321");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer(&access, answers);
    kit_expect_refused(profile, &access, "refused the PIN");
    assert_int_equal(kit_asked, 0);
}

/* ---- a PIN in the keyring ---- */

typedef struct Keyring {
    const char *pin; /* NULL: it has none */
    guint fetched;
} Keyring;

static bool fetch(const char *kind, char *text, gsize size, gpointer data)
{
    Keyring *keyring = data;
    assert_string_equal(kind, "pin");
    keyring->fetched++;
    return keyring->pin != NULL && g_strlcpy(text, keyring->pin, size) > 0;
}

static void forget(const char *kind, gpointer data)
{
    Keyring *keyring = data;
    assert_string_equal(kind, "pin");
    keyring->pin = NULL;
}

static DialtoneCredentialAccess access_with(Keyring *keyring)
{
    DialtoneCredentialAccess access = kit_access();
    access.fetch = fetch;
    access.forget = forget;
    access.data = keyring;
    return access;
}

static void a_pin_of_the_keyring_is_given_without_a_question(void **state)
{
    static const char *const answers[] = {"1234", NULL};
    Keyring keyring = {.pin = "1234"};
    DialtoneCredentialAccess access = access_with(&keyring);
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer(&access, answers);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(kit_asked, 0);
    assert_string_equal(keyring.pin, "1234");
}

static void a_wrong_pin_of_the_keyring_is_forgotten_before_anybody_is_asked(void **state)
{
    static const char *const answers[] = {"5432", "6543", "1234", NULL};
    Keyring keyring = {.pin = "4321"};
    DialtoneCredentialAccess access = access_with(&keyring);
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer_again(&access, answers);
    kit_expect_refused(profile, &access, "refused the PIN");
    assert_null(keyring.pin);
    assert_int_equal(keyring.fetched, 1);
    assert_int_equal(kit_asked, 2); /* three tries in all */
    assert_non_null(strstr(kit_hint, "The token Card refused the PIN"));
}

static void a_wrong_pin_of_the_keyring_is_told_where_nobody_can_be_asked(void **state)
{
    Keyring keyring = {.pin = "4321"};
    const DialtoneCredentialAccess access = access_with(&keyring);
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_expect_refused(profile, &access, "The token Card refused the PIN");
}

static void the_secrets_file_comes_before_the_keyring(void **state)
{
    Keyring keyring = {.pin = "4321"};
    DialtoneCredentialAccess access = access_with(&keyring);
    make_token("P-256");
    access.passphrase = pin_of("1234");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(keyring.fetched, 0);
}

static void the_last_try_is_a_persons(void **state)
{
    static const char *const answers[] = {"1234", NULL};
    Keyring keyring = {.pin = "4321"};
    DialtoneCredentialAccess access = access_with(&keyring);
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    kit_will_answer_again(&access, answers);
    reader = (CK_FUNCTION_LIST){.C_GetTokenInfo = last_try_info};
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    reader = (CK_FUNCTION_LIST){0};
    assert_non_null(credential);
    assert_int_equal(keyring.fetched, 0);
    assert_int_equal(kit_asked, 1);
}

static void a_token_that_is_not_there_is_named(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    access.passphrase = pin_of("1234");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Other");
    kit_expect_refused(profile, &access, "pkcs11:token=Other");
    g_autoptr(DialtoneProfile) source = profile_of("pkcs11:token=Card?pin-source=file:/x");
    kit_expect_refused(source, &access, "pin-source");
}

/* Nothing else needs the library, so it may be missing. */
static void without_p11_kit_the_advice_is_to_install_it(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    is_missing = true;
    kit_expect_refused(profile, &access, "libp11-kit.so.0 is not there");
    g_autoptr(GPtrArray) listed = dialtone_token_certificates();
    assert_int_equal(listed->len, 0);
    is_missing = false;
}

static void a_certificate_on_a_token_is_described_without_a_pin(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    make_token("P-256");
    g_autoptr(DialtoneProfile) profile = profile_of("pkcs11:token=Card");
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneCertificate) shown = dialtone_credential_describe(profile, &access, &error);
    assert_non_null(shown);
    assert_string_equal(shown->subject, "CN=Alice");
}

static int free_pairs(void **state)
{
    kit_pair_clear(&root);
    kit_pair_clear(&alice);
    return 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_token_signs_with_rsa),
        CASE(a_token_signs_with_ecdsa),
        CASE(a_pin_is_typed_on_the_keypad_for_each_signature),
        CASE(a_pin_that_is_locked_is_told_with_what_unlocks_it),
        CASE(a_pin_that_a_signature_was_refused_with_is_not_given_again),
        CASE(a_person_who_mistyped_the_pin_is_told_and_asked_again),
        CASE(three_wrong_pins_are_enough),
        CASE(a_wrong_pin_of_the_secrets_file_is_given_once),
        CASE(a_pin_of_the_keyring_is_given_without_a_question),
        CASE(a_wrong_pin_of_the_keyring_is_forgotten_before_anybody_is_asked),
        CASE(a_wrong_pin_of_the_keyring_is_told_where_nobody_can_be_asked),
        CASE(the_secrets_file_comes_before_the_keyring),
        CASE(the_last_try_is_a_persons),
        CASE(a_token_that_is_not_there_is_named),
        CASE(without_p11_kit_the_advice_is_to_install_it),
        CASE(a_certificate_on_a_token_is_described_without_a_pin),
    };
    return cmocka_run_group_tests(tests, NULL, free_pairs);
}
