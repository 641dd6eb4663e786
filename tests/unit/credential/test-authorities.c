/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Authorities and revocation lists from files and directories, in whatever form they lie there. */
#include "credential-kit.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <string.h>

static KitPair root, other, alice;
static char *own; /* alice's certificate and key */

static int make_pairs(void **state)
{
    root = kit_pair("P-256", "Root", NULL, NULL);
    other = kit_pair("P-256", "Other", NULL, NULL);
    alice = kit_pair("P-256", "Alice", "email:alice@example.com", &root);
    return 0;
}

static int free_pairs(void **state)
{
    kit_pair_clear(&root);
    kit_pair_clear(&other);
    kit_pair_clear(&alice);
    return 0;
}

static int setup(void **state)
{
    X509 *const certificates[] = {alice.certificate, NULL};
    int result = kit_setup(state);
    own = kit_write_pem("own.pem", alice.key, certificates, NULL);
    return result;
}

static int teardown(void **state)
{
    g_clear_pointer(&own, g_free);
    return kit_teardown(state);
}

static DialtoneProfile *profile_of(const char *ca, const char *more)
{
    g_autofree char *text = g_strdup_printf(
        "[Gateway]\nAddress=vpn.example.com\n[Identity]\nID=alice@example.com\nAuth=certificate\n"
        "Certificate=file:%s\n%s\n%s\n",
        own, ca, more);
    DialtoneProfile *profile = dialtone_profile_parse(text, strlen(text), "F", NULL);
    assert_non_null(profile);
    return profile;
}

static guint anchors_of(const char *ca)
{
    const DialtoneCredentialAccess access = kit_access();
    g_autoptr(DialtoneProfile) profile = profile_of(ca, "");
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    return dialtone_credential_anchors(credential)->len;
}

static char *write_crl(const char *name, bool pem)
{
    X509_CRL *crl = X509_CRL_new();
    BIO *bio = BIO_new(BIO_s_mem());
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(root.certificate));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, now);
    assert_true(X509_CRL_sign(crl, root.key, EVP_sha256()) > 0);
    assert_int_equal(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);
    char *path = kit_write(name, bytes, (gsize)n);
    BIO_free(bio);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
    return path;
}

static void a_file_of_several_is_taken_whole(void **state)
{
    X509 *const two[] = {root.certificate, other.certificate, root.certificate, NULL};
    g_autofree char *path = kit_write_pem("ca.pem", NULL, two, NULL);
    g_autofree char *line = g_strdup_printf("CA=file:%s", path);
    assert_int_equal(anchors_of(line), 2); /* the same twice is one */
}

static void a_der_file_is_taken(void **state)
{
    guint8 *der = NULL;
    int n = i2d_X509(root.certificate, &der);
    g_autofree char *path = kit_write("ca.cer", der, (gsize)n);
    g_autofree char *line = g_strdup_printf("CA=file:%s", path);
    OPENSSL_free(der);
    assert_int_equal(anchors_of(line), 1);
}

static void a_directory_is_taken_with_what_else_lies_there(void **state)
{
    X509 *const one[] = {root.certificate, NULL}, *const two[] = {other.certificate, NULL};
    g_autofree char *folder = kit_path("authorities");
    assert_int_equal(g_mkdir(folder, 0755), 0);
    g_autofree char *below = g_build_filename(folder, "below", NULL);
    assert_int_equal(g_mkdir(below, 0755), 0);
    g_autofree char *a = kit_write_pem("authorities/a.pem", NULL, one, NULL);
    g_autofree char *b = kit_write_pem("authorities/b.crt", NULL, two, NULL);
    g_autofree char *c = kit_write("authorities/README", "hello\n", 6);
    g_autofree char *line = g_strdup_printf("CA=directory:%s", folder);
    assert_true(a != NULL && b != NULL && c != NULL);
    assert_int_equal(anchors_of(line), 2);
}

static void nothing_of_use_is_a_mistake(void **state)
{
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *folder = kit_path("empty");
    assert_int_equal(g_mkdir(folder, 0755), 0);
    g_autofree char *file = kit_write_pem("key.pem", other.key, NULL, NULL);
    g_autofree char *lines[] = {
        g_strdup_printf("CA=directory:%s", folder), g_strdup_printf("CA=file:%s", file),
        g_strdup("CA=file:/nonexistent"), g_strdup("CA=directory:/nonexistent"), NULL};
    for (gsize i = 0; lines[i] != NULL; i++) {
        g_autoptr(DialtoneProfile) profile = profile_of(lines[i], "");
        kit_expect_refused(profile, &access, "F:7: [Identity] CA: ");
        g_free(lines[i]);
    }
    lines[0] = NULL;
}

/* The protocol core takes all of them or none: with what it can't read nothing would connect. */
static void what_can_t_be_read_is_not_there(void **state)
{
    const DialtoneCredentialAccess access = kit_access();
    gsize n = (gsize)i2d_X509(root.certificate, NULL);
    g_autofree guint8 *der = g_malloc0(n + 1); /* and a byte behind it */
    guint8 *at = der;
    assert_int_equal(i2d_X509(root.certificate, &at), n);
    g_autofree char *longer = kit_write("longer.der", (const char *)der, n + 1);
    g_autofree char *line = g_strdup_printf("CA=file:%s", longer);
    g_autoptr(DialtoneProfile) profile = profile_of(line, "");
    kit_expect_refused(profile, &access, "F:7: [Identity] CA: ");
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    assert_true(PEM_write_bio(bio, PEM_STRING_X509, "", der, (long)n - 1) > 0);
    assert_int_equal(PEM_write_bio_X509(bio, root.certificate), 1);
    assert_true(PEM_write_bio(bio, PEM_STRING_X509, "", der, (long)n + 1) > 0);
    long length = BIO_get_mem_data(bio, &text);
    g_autofree char *mixed = kit_write("mixed.pem", text, (gsize)length);
    BIO_free(bio);
    g_autofree char *second = g_strdup_printf("CA=file:%s", mixed);
    assert_int_equal(anchors_of(second), 1);
}

static void lists_of_revoked_certificates_are_taken(void **state)
{
    X509 *const one[] = {root.certificate, NULL};
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, one, NULL);
    g_autofree char *line = g_strdup_printf("CA=file:%s", ca);
    g_autofree char *pem = write_crl("a.pem", true), *der = write_crl("b.crl", false);
    g_autofree char *both = g_strdup_printf("CRL=file:%s;file:%s\nRequireCRL=yes", pem, der);
    g_autofree char *wrong = g_strdup_printf("CRL=file:%s;file:%s", pem, ca);
    g_autoptr(DialtoneProfile) good = profile_of(line, both);
    g_autoptr(DialtoneProfile) bad = profile_of(line, wrong);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(good, &access);
    /* ECDSA signs with a random number: two lists, though they say the same. */
    assert_int_equal(dialtone_credential_crls(credential)->len, 2);
    kit_expect_refused(bad, &access, "F:8: [Identity] CRL: ");
}

static void what_is_too_large_for_one_message_is_refused(void **state)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    const DialtoneCredentialAccess access = kit_access();
    guint8 *der = NULL;
    int n = i2d_X509(root.certificate, &der);
    /* 1,100 blocks that each differ, each behind a header of its own. */
    for (guint i = 0; i < 1100; i++) {
        BIO *bio = BIO_new(BIO_s_mem());
        char *text = NULL;
        der[n - 1] = (guint8)i;
        der[n - 2] = (guint8)(i >> 8);
        assert_true(PEM_write_bio(bio, PEM_STRING_X509, "", der, n) > 0);
        long length = BIO_get_mem_data(bio, &text);
        g_byte_array_append(bytes, (const guint8 *)text, (guint)length);
        BIO_free(bio);
    }
    OPENSSL_free(der);
    g_autofree char *path = kit_write("many.pem", bytes->data, bytes->len);
    g_autofree char *line = g_strdup_printf("CA=file:%s", path);
    g_autoptr(DialtoneProfile) profile = profile_of(line, "");
    kit_expect_refused(profile, &access, "too large");
}

static void hybrid_needs_authorities_and_no_certificate(void **state)
{
    static const char text[] = "[Gateway]\nAddress=vpn.example.com\n[Identity]\nID=a@example.com\n"
                               "Auth=hybrid\nCA=file:%s\n";
    X509 *const one[] = {root.certificate, NULL};
    const DialtoneCredentialAccess access = kit_access();
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, one, NULL);
    g_autofree char *written = g_strdup_printf(text, ca);
    g_autoptr(DialtoneProfile) profile =
        dialtone_profile_parse(written, strlen(written), "F", NULL);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(profile, &access);
    const DialtoneDigest digest = {.n = 20};
    g_autoptr(GError) error = NULL;
    assert_int_equal(dialtone_credential_chain(credential)->len, 0);
    assert_int_equal(dialtone_credential_anchors(credential)->len, 1);
    assert_null(dialtone_credential_certificate(credential));
    assert_null(dialtone_credential_sign(credential, &digest, &error));
    assert_non_null(error);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_file_of_several_is_taken_whole),
        CASE(a_der_file_is_taken),
        CASE(a_directory_is_taken_with_what_else_lies_there),
        CASE(nothing_of_use_is_a_mistake),
        CASE(what_can_t_be_read_is_not_there),
        CASE(lists_of_revoked_certificates_are_taken),
        CASE(what_is_too_large_for_one_message_is_refused),
        CASE(hybrid_needs_authorities_and_no_certificate),
    };
    return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
