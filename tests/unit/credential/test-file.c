/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates and keys in files: who may read them, what opens them, what fits together. */
#include "credential-kit.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"

static KitPair root, middle, alice;

static int make_pairs(void **state)
{
    root = kit_pair("P-256", "Root", NULL, NULL);
    middle = kit_pair("P-256", "Middle", NULL, &root);
    alice = kit_pair("rsa2048", "Alice", "email:alice@example.com", &middle);
    return 0;
}

static int free_pairs(void **state)
{
    kit_pair_clear(&root);
    kit_pair_clear(&middle);
    kit_pair_clear(&alice);
    return 0;
}

static DialtoneProfile *profile_of(const char *path)
{
    X509 *const authorities[] = {root.certificate, NULL};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    g_autofree char *line = g_strdup_printf("Certificate=file:%s", path);
    return kit_profile(ca, line);
}

static char *write_alice(const char *name, const char *passphrase)
{
    X509 *const certificates[] = {alice.certificate, NULL};
    return kit_write_pem(name, alice.key, certificates, passphrase);
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    static const mode_t modes[] = {0640, 0604, 0620, 0660, 0666, 0700, 04600};
    g_autofree char *path = write_alice("a.pem", NULL);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    const DialtoneCredentialAccess access = kit_access();
    for (gsize i = 0; i < G_N_ELEMENTS(modes); i++) {
        assert_int_equal(g_chmod(path, modes[i]), 0);
        kit_expect_refused(profile, &access, "chmod 600");
    }
    assert_int_equal(g_chmod(path, 0400), 0);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
}

static void an_encrypted_key_that_others_may_read_is_refused_too(void **state)
{
    static const char *const answers[] = {"secret", NULL};
    g_autofree char *path = write_alice("a.pem", "secret");
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    DialtoneCredentialAccess access = kit_access();
    kit_will_answer(&access, answers);
    assert_int_equal(g_chmod(path, 0644), 0);
    kit_expect_refused(profile, &access, "F:7: [Identity] Certificate: ");
}

static void a_key_of_another_user_is_refused(void **state)
{
    g_autofree char *path = write_alice("a.pem", NULL);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    DialtoneCredentialAccess access = kit_access();
    GStatBuf info;
    assert_int_equal(g_stat(path, &info), 0);
    /* Root's keys are good for everybody, so root gives this one away. */
    if (info.st_uid == 0)
        assert_int_equal(chown(path, 4242, 4242), 0);
    access.caller = info.st_uid == 0 ? 0 : info.st_uid + 1;
    kit_expect_refused(profile, &access, "another user");
}

static void the_chain_is_ordered_and_has_no_root(void **state)
{
    X509 *const certificates[] = {root.certificate, middle.certificate, alice.certificate, NULL};
    g_autofree char *path = kit_write_pem("a.pem", alice.key, certificates, NULL);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    const DialtoneCredentialAccess access = kit_access();
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    const GPtrArray *chain = dialtone_credential_chain(credential);
    X509 *const wanted[] = {alice.certificate, middle.certificate};
    assert_int_equal(chain->len, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < chain->len; i++) {
        gsize n = 0;
        const guint8 *der = g_bytes_get_data(chain->pdata[i], &n);
        X509 *parsed = d2i_X509(NULL, &der, (long)n);
        assert_int_equal(X509_cmp(parsed, wanted[i]), 0);
        X509_free(parsed);
    }
    assert_int_equal(dialtone_credential_anchors(credential)->len, 1);
}

static void a_pkcs12_file_opens_with_the_passphrase_of_the_secrets_file(void **state)
{
    static guint8 bytes[] = "käse; # =";
    const DialtoneSecret passphrase = {.bytes = bytes, .n = sizeof(bytes) - 1};
    DialtoneCredentialAccess access = kit_access();
    access.passphrase = &passphrase;
    for (int old = 0; old < 2; old++) {
        g_autofree char *path =
            kit_write_p12("a.p12", &alice, &middle, (const char *)bytes, old == 1);
        g_autoptr(DialtoneProfile) profile = profile_of(path);
        g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
        assert_int_equal(dialtone_credential_chain(credential)->len, 2);
        assert_string_equal(dialtone_credential_certificate(credential)->subject, "CN=Alice");
        assert_true(dialtone_credential_certificate(credential)->names_id);
    }
}

static void what_needs_no_passphrase_asks_for_none(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    kit_will_answer(&access, NULL);
    g_autofree char *pem = write_alice("a.pem", NULL);
    g_autofree char *p12 = kit_write_p12("a.p12", &alice, &middle, "", false);
    g_autoptr(DialtoneProfile) one = profile_of(pem);
    g_autoptr(DialtoneProfile) two = profile_of(p12);
    g_autoptr(DialtoneCredential) first = kit_expect_loaded(one, &access);
    g_autoptr(DialtoneCredential) second = kit_expect_loaded(two, &access);
    assert_true(first != NULL && second != NULL);
    assert_int_equal(kit_asked, 0);
}

static void a_person_may_mistype_twice(void **state)
{
    static const char *const answers[] = {"wrong", "Secret", "secret", NULL};
    DialtoneCredentialAccess access = kit_access();
    g_autofree char *path = write_alice("a.pem", "secret");
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    kit_will_answer(&access, answers);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(kit_asked, 3);
}

static void who_has_no_file_before_them_reads_a_sentence(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    g_autoptr(DialtoneProfile) profile = profile_of("/nonexistent/a.pem");
    access.file = NULL;
    g_autoptr(GError) error = NULL;
    assert_null(dialtone_credential_load(profile, &access, &error));
    assert_string_equal(error->message, "/nonexistent/a.pem: No such file or directory.");
    assert_non_null(strstr(dialtone_failure_advice(error), "[Identity] Certificate"));
}

static void three_wrong_passphrases_are_enough(void **state)
{
    static const char *const answers[] = {"1", "2", "3", "secret", NULL};
    DialtoneCredentialAccess access = kit_access();
    g_autofree char *path = kit_write_p12("a.p12", &alice, NULL, "secret", false);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    kit_will_answer(&access, answers);
    kit_expect_refused(profile, &access, "does not open the private key");
    assert_int_equal(kit_asked, 3);
}

static void a_wrong_passphrase_of_the_secrets_file_is_not_asked_for_again(void **state)
{
    static guint8 bytes[] = "wrong";
    static const char *const answers[] = {"secret", NULL};
    const DialtoneSecret passphrase = {.bytes = bytes, .n = sizeof(bytes) - 1};
    DialtoneCredentialAccess access = kit_access();
    g_autofree char *path = write_alice("a.pem", "secret");
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    kit_will_answer(&access, answers);
    access.passphrase = &passphrase;
    kit_expect_refused(profile, &access, "does not open the private key");
    assert_int_equal(kit_asked, 0);
}

static void nobody_to_ask_is_a_missing_secret(void **state)
{
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *path = write_alice("a.pem", "secret");
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    g_autoptr(GError) error = NULL;
    assert_null(dialtone_credential_load(profile, &access, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_SECRET_MISSING);
    assert_non_null(strstr(dialtone_failure_advice(error), "Passphrase="));
}

static void a_key_of_its_own_file_is_taken(void **state)
{
    X509 *const certificates[] = {alice.certificate, NULL};
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *certificate = kit_write_pem("a.crt", NULL, certificates, NULL);
    g_autofree char *key = kit_write_pem("a.key", alice.key, NULL, NULL);
    g_autofree char *lines = g_strdup_printf("Certificate=file:%s\nKey=file:%s", certificate, key);
    assert_int_equal(g_chmod(certificate, 0644), 0);
    g_autoptr(DialtoneProfile) profile = kit_profile(certificate, lines);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(g_chmod(key, 0644), 0);
    kit_expect_refused(profile, &access, "F:8: [Identity] Key: ");
}

static void a_certificate_without_its_key_is_refused(void **state)
{
    X509 *const certificates[] = {alice.certificate, NULL};
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *without = kit_write_pem("a.crt", NULL, certificates, NULL);
    g_autofree char *other = kit_write_pem("b.pem", middle.key, certificates, NULL);
    g_autoptr(DialtoneProfile) one = profile_of(without);
    g_autoptr(DialtoneProfile) two = profile_of(other);
    kit_expect_refused(one, &access, "Key=");
    kit_expect_refused(two, &access, "belongs to none");
}

static void a_certificate_that_ended_is_refused_by_its_date(void **state)
{
    X509 *const certificates[] = {
        kit_certificate(alice.key, "Alice", "email:alice@example.com", &middle, -KIT_DAY), NULL};
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *path = kit_write_pem("a.pem", alice.key, certificates, NULL);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    g_autoptr(GError) error = NULL;
    assert_null(dialtone_credential_load(profile, &access, &error));
    assert_int_equal(dialtone_failure_of(error), DIALTONE_FAILURE_GATEWAY_AUTHENTICATION);
    assert_non_null(strstr(error->message, "CN=Alice"));
    X509_free(certificates[0]);
}

static void keys_that_ikev1_can_t_use_are_refused(void **state)
{
    static const struct {
        const char *kind, *said;
    } cases[] = {{"rsa1024", "1024 bits"}, {"P-224", "P-256, P-384 or P-521"}};
    const DialtoneCredentialAccess access = kit_access();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        KitPair weak = kit_pair(cases[i].kind, "Weak", "email:alice@example.com", &root);
        X509 *const certificates[] = {weak.certificate, NULL};
        g_autofree char *path = kit_write_pem("a.pem", weak.key, certificates, NULL);
        g_autoptr(DialtoneProfile) profile = profile_of(path);
        kit_expect_refused(profile, &access, cases[i].said);
        kit_pair_clear(&weak);
    }
}

static void files_that_hold_nothing_are_told_apart(void **state)
{
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *empty = kit_write("empty.pem", "", 0);
    g_autofree char *noise = kit_write("noise.pem", "no certificate\n", 15);
    g_autofree char *missing = kit_path("missing.pem");
    g_autoptr(DialtoneProfile) one = profile_of(empty);
    g_autoptr(DialtoneProfile) two = profile_of(noise);
    g_autoptr(DialtoneProfile) three = profile_of(missing);
    kit_expect_refused(one, &access, "empty");
    kit_expect_refused(two, &access, "neither a certificate nor a key");
    kit_expect_refused(three, &access, "F:7: [Identity] Certificate: ");
}

/* Cut anywhere, a file is refused or at most lacks what comes last; it never crashes. */
static void a_file_cut_anywhere_is_survived(void **state)
{
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *whole = kit_write_p12("a.p12", &alice, &middle, "", false);
    g_autofree char *bytes = NULL;
    gsize n = 0, refused = 0;
    assert_true(g_file_get_contents(whole, &bytes, &n, NULL));
    for (gsize cut = 0; cut < n; cut += 37) {
        g_autofree char *path = kit_write("cut.p12", bytes, cut);
        g_autoptr(DialtoneProfile) profile = profile_of(path);
        g_autoptr(DialtoneCredential) credential = dialtone_credential_load(profile, &access, NULL);
        refused += credential == NULL;
    }
    assert_int_equal(refused, (n + 36) / 37);
}

/* ---- the keyring ---- */

typedef struct Kept {
    char *certificate;
    const char *passphrase;
} Kept;

static bool fetch(const char *kind, char *text, gsize size, gpointer data)
{
    const Kept *kept = data;
    const char *found = strcmp(kind, "certificate") == 0 ? kept->certificate : kept->passphrase;
    return found != NULL && g_strlcpy(text, found, size) < size;
}

static char *contents_of(const char *path, bool base64)
{
    g_autofree char *bytes = NULL;
    gsize n = 0;
    assert_true(g_file_get_contents(path, &bytes, &n, NULL));
    return base64 ? g_base64_encode((const guint8 *)bytes, n) : g_steal_pointer(&bytes);
}

static DialtoneProfile *profile_of_keyring(void)
{
    X509 *const authorities[] = {root.certificate, NULL};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    return kit_profile(ca, "Certificate=keyring");
}

static void a_certificate_comes_from_the_keyring_as_pem_and_as_base64(void **state)
{
    g_autofree char *pem = write_alice("a.pem", "secret");
    g_autofree char *p12 = kit_write_p12("a.p12", &alice, &middle, "secret", false);
    g_autoptr(DialtoneProfile) profile = profile_of_keyring();
    DialtoneCredentialAccess access = kit_access();
    for (int base64 = 0; base64 < 2; base64++) {
        g_autofree char *text = contents_of(base64 ? p12 : pem, base64 == 1);
        Kept kept = {.certificate = text, .passphrase = "secret"};
        access.fetch = fetch;
        access.data = &kept;
        g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
        assert_string_equal(dialtone_credential_certificate(credential)->subject, "CN=Alice");
    }
}

static void a_wrong_passphrase_in_the_keyring_is_asked_for(void **state)
{
    static const char *const answers[] = {"secret", NULL};
    g_autofree char *pem = write_alice("a.pem", "secret");
    g_autofree char *text = contents_of(pem, false);
    g_autoptr(DialtoneProfile) profile = profile_of_keyring();
    DialtoneCredentialAccess access = kit_access();
    Kept kept = {.certificate = text, .passphrase = "old"};
    kit_will_answer(&access, answers);
    access.fetch = fetch;
    access.data = &kept;
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    assert_non_null(credential);
    assert_int_equal(kit_asked, 1);
}

static void a_keyring_without_a_certificate_says_how_to_put_one_there(void **state)
{
    static char garbage[] = "?!";
    g_autoptr(DialtoneProfile) profile = profile_of_keyring();
    DialtoneCredentialAccess access = kit_access();
    Kept none = {0}, odd = {.certificate = garbage};
    kit_expect_refused(profile, &access, "no certificate of this profile");
    access.fetch = fetch;
    access.data = &none;
    kit_expect_refused(profile, &access, "no certificate of this profile");
    access.data = &odd;
    kit_expect_refused(profile, &access, "no certificate of this profile");
}

static void the_certificate_is_described_without_its_key(void **state)
{
    DialtoneCredentialAccess access = kit_access();
    kit_will_answer(&access, NULL);
    g_autofree char *open = write_alice("a.pem", "secret");
    g_autofree char *locked = kit_write_p12("a.p12", &alice, &middle, "secret", false);
    g_autoptr(DialtoneProfile) one = profile_of(open);
    g_autoptr(DialtoneProfile) two = profile_of(locked);
    g_autoptr(GError) error = NULL;
    g_autoptr(DialtoneCertificate) shown = dialtone_credential_describe(one, &access, &error);
    assert_non_null(shown);
    assert_string_equal(shown->subject, "CN=Alice");
    assert_null(dialtone_credential_describe(two, &access, &error));
    assert_null(error);
    static guint8 bytes[] = "secret";
    const DialtoneSecret passphrase = {.bytes = bytes, .n = sizeof(bytes) - 1};
    access.passphrase = &passphrase;
    g_autoptr(DialtoneCertificate) opened = dialtone_credential_describe(two, &access, &error);
    assert_non_null(opened);
    assert_int_equal(kit_asked, 0);
}

/* Whoever chooses the method of Phase 1 goes by it. */
static void the_kind_of_the_key_is_described(void **state)
{
    static const struct {
        const char *kind;
        int bits;
    } cases[] = {{"rsa2048", 0}, {"P-256", 256}, {"P-384", 384}, {"P-521", 521}};
    const DialtoneCredentialAccess access = kit_access();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        KitPair pair = kit_pair(cases[i].kind, "Bob", NULL, &middle);
        X509 *const certificates[] = {pair.certificate, NULL};
        g_autofree char *path = kit_write_pem("bob.pem", NULL, certificates, NULL);
        g_autoptr(DialtoneProfile) profile = profile_of(path);
        g_autoptr(DialtoneCertificate) shown = dialtone_credential_describe(profile, &access, NULL);
        assert_non_null(shown);
        assert_int_equal(shown->curve_bits, cases[i].bits);
        kit_pair_clear(&pair);
    }
}

static void the_end_is_told_thirty_days_ahead(void **state)
{
    DialtoneCertificate certificate = {.subject = (char *)"CN=Alice", .not_after = 1800000000};
    g_autofree char *early = dialtone_certificate_warning(&certificate, 1800000000 - 31 * KIT_DAY);
    g_autofree char *soon = dialtone_certificate_warning(&certificate, 1800000000 - 2 * KIT_DAY);
    g_autofree char *late = dialtone_certificate_warning(&certificate, 1800000000 + 1);
    assert_null(early);
    assert_non_null(strstr(soon, "2027-01-15, in 2 days"));
    assert_non_null(strstr(late, "ended on 2027-01-15"));
}

/* ---- what somebody chooses ---- */

static void all_of_a_certificate_is_told(void **state)
{
    g_autofree char *path = write_alice("a.pem", NULL);
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    const DialtoneCredentialAccess access = kit_access();
    g_auto(DialtoneInspection) found = {0};
    dialtone_credential_inspect(profile, &access, &found);
    assert_false(found.locked);
    assert_null(found.problem);
    assert_string_equal(found.certificate->subject, "CN=Alice");
    assert_string_equal(found.certificate->issuer, "CN=Middle");
    assert_string_equal(found.certificate->key, "RSA 2048");
}

static void expect_problem(const char *path, const DialtoneSecret *passphrase, bool locked,
                           const char *said)
{
    g_autoptr(DialtoneProfile) profile = profile_of(path);
    DialtoneCredentialAccess access = kit_access();
    access.passphrase = passphrase;
    g_auto(DialtoneInspection) found = {0};
    dialtone_credential_inspect(profile, &access, &found);
    assert_int_equal(found.locked, locked);
    if (said == NULL)
        assert_null(found.problem);
    else
        assert_non_null(strstr(found.problem, said));
}

static void what_is_locked_is_no_mistake(void **state)
{
    static const char wrong[] = "another", right[] = "secret";
    DialtoneSecret passphrase = {.bytes = (guint8 *)(uintptr_t)wrong, .n = strlen(wrong)};
    g_autofree char *p12 = kit_write_p12("a.p12", &alice, &middle, "secret", false);
    g_autofree char *pem = write_alice("a.pem", "secret");
    const char *const paths[] = {p12, pem};
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++) {
        passphrase = (DialtoneSecret){.bytes = (guint8 *)(uintptr_t)wrong, .n = strlen(wrong)};
        expect_problem(paths[i], NULL, true, NULL);
        expect_problem(paths[i], &passphrase, true, NULL);
        passphrase = (DialtoneSecret){.bytes = (guint8 *)(uintptr_t)right, .n = strlen(right)};
        expect_problem(paths[i], &passphrase, false, NULL);
    }
}

static void what_can_not_be_used_is_told_with_what_it_is(void **state)
{
    X509 *const alone[] = {root.certificate, NULL}, *const none[] = {NULL};
    X509 *const certificates[] = {alice.certificate, NULL};
    g_autofree char *authority = kit_write_pem("only.pem", NULL, alone, NULL);
    g_autofree char *key = kit_write_pem("key.pem", alice.key, none, NULL);
    g_autofree char *pair = kit_write_pem("pair.pem", middle.key, certificates, NULL);
    g_autofree char *garbage = kit_write("garbage", "\x30\x82\xff\xff", 4);
    g_autofree char *empty = kit_write("empty", "", 0);
    expect_problem(authority, NULL, false, "no private key is in the file");
    expect_problem(key, NULL, false, "no certificate is in the file");
    expect_problem(pair, NULL, false, "belongs to none of the certificates");
    expect_problem(garbage, NULL, false, "neither a certificate nor a key");
    expect_problem(empty, NULL, false, "the file is empty");
    expect_problem("/nowhere/at/all", NULL, false, "No such file");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_key_that_others_may_read_is_refused),
        CASE(an_encrypted_key_that_others_may_read_is_refused_too),
        CASE(a_key_of_another_user_is_refused),
        CASE(the_chain_is_ordered_and_has_no_root),
        CASE(a_pkcs12_file_opens_with_the_passphrase_of_the_secrets_file),
        CASE(what_needs_no_passphrase_asks_for_none),
        CASE(a_person_may_mistype_twice),
        CASE(who_has_no_file_before_them_reads_a_sentence),
        CASE(three_wrong_passphrases_are_enough),
        CASE(a_wrong_passphrase_of_the_secrets_file_is_not_asked_for_again),
        CASE(nobody_to_ask_is_a_missing_secret),
        CASE(all_of_a_certificate_is_told),
        CASE(what_is_locked_is_no_mistake),
        CASE(what_can_not_be_used_is_told_with_what_it_is),
        CASE(a_key_of_its_own_file_is_taken),
        CASE(a_certificate_without_its_key_is_refused),
        CASE(a_certificate_that_ended_is_refused_by_its_date),
        CASE(keys_that_ikev1_can_t_use_are_refused),
        CASE(files_that_hold_nothing_are_told_apart),
        CASE(a_file_cut_anywhere_is_survived),
        CASE(a_certificate_comes_from_the_keyring_as_pem_and_as_base64),
        CASE(a_wrong_passphrase_in_the_keyring_is_asked_for),
        CASE(a_keyring_without_a_certificate_says_how_to_put_one_there),
        CASE(the_certificate_is_described_without_its_key),
        CASE(the_kind_of_the_key_is_described),
        CASE(the_end_is_told_thirty_days_ahead),
    };
    return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
