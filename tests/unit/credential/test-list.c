/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Revocation lists that are fetched: whoever stands between may answer what he likes, and what was
 * taken once is used while it is in force. */
#include "credential-kit.h"

#include <glib/gstdio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

static KitPair root, namesake, stranger;

static int make_pairs(void **state)
{
    root = kit_pair("P-256", "Root", NULL, NULL);
    namesake = kit_pair("P-256", "Root", NULL, NULL);
    stranger = kit_pair("P-256", "Stranger", NULL, NULL);
    return 0;
}

static int free_pairs(void **state)
{
    kit_pair_clear(&root);
    kit_pair_clear(&namesake);
    kit_pair_clear(&stranger);
    return 0;
}

static void put_entries(X509_CRL *crl, long n)
{
    ASN1_TIME *then = X509_gmtime_adj(NULL, -3600);
    ASN1_INTEGER *serial = ASN1_INTEGER_new();
    for (long i = 1; i <= n; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        assert_int_equal(ASN1_INTEGER_set(serial, i), 1);
        X509_REVOKED_set_serialNumber(entry, serial);
        X509_REVOKED_set_revocationDate(entry, then);
        assert_int_equal(X509_CRL_add0_revoked(crl, entry), 1);
    }
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(then);
}

/* An extension that makes another list of it; NULL: none. */
static void extend(X509_CRL *crl, const char *extension)
{
    g_auto(GStrv) parts = g_strsplit(extension != NULL ? extension : "", "=", 2);
    if (extension == NULL)
        return;
    X509_EXTENSION *made = X509V3_EXT_conf(NULL, NULL, parts[0], parts[1]);
    assert_non_null(made);
    assert_int_equal(X509_CRL_add_ext(crl, made, -1), 1);
    X509_EXTENSION_free(made);
}

static const char *extension; /* of the next lists */

/* From @from to @until, in seconds from now; until 0: it does not say. */
static GBytes *list_of(const KitPair *issuer, long from, long until, bool pem, long revoked)
{
    X509_CRL *crl = X509_CRL_new();
    BIO *bio = BIO_new(BIO_s_mem());
    ASN1_TIME *begins = X509_gmtime_adj(NULL, from), *ends = X509_gmtime_adj(NULL, until);
    char *bytes = NULL;

    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate));
    X509_CRL_set1_lastUpdate(crl, begins);
    if (until != 0)
        X509_CRL_set1_nextUpdate(crl, ends);
    put_entries(crl, revoked);
    extend(crl, extension);
    assert_true(X509_CRL_sign(crl, issuer->key, EVP_sha256()) > 0);
    assert_int_equal(pem ? PEM_write_bio_X509_CRL(bio, crl) : i2d_X509_CRL_bio(bio, crl), 1);
    long n = BIO_get_mem_data(bio, &bytes);
    GBytes *list = g_bytes_new(bytes, (gsize)n);
    BIO_free(bio);
    ASN1_TIME_free(begins);
    ASN1_TIME_free(ends);
    X509_CRL_free(crl);
    return list;
}

static GBytes *list_by(const KitPair *issuer, long from, long until, bool pem)
{
    return list_of(issuer, from, until, pem, 0);
}

/* A server of one list, and what is told to the user. */
typedef struct Server {
    GBytes *list; /* NULL: it does not answer */
    guint asked;
    char *told;
    char *cache;
} Server;

static char *download(const char *url, GBytes **listp, gpointer data)
{
    Server *server = data;
    assert_string_equal(url, "http://ca.example.com/ca.crl");
    server->asked++;
    if (server->list == NULL)
        return g_strdup("it sleeps");
    *listp = g_bytes_ref(server->list);
    return NULL;
}

static void tell(const char *line, gpointer data)
{
    Server *server = data;
    assert_null(server->told);
    server->told = g_strdup(line);
}

static Server server_new(void)
{
    return (Server){.cache = kit_path("cache/revoked")};
}

static void server_gives(Server *server, GBytes *list_take)
{
    g_clear_pointer(&server->list, g_bytes_unref);
    server->list = list_take;
}

static void server_clear(Server *server)
{
    server_gives(server, NULL);
    g_free(server->told);
    g_free(server->cache);
}

static DialtoneProfile *profile(void)
{
    X509 *const authorities[] = {root.certificate, NULL};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    g_autofree char *own = kit_write_pem("own.pem", root.key, authorities, NULL);
    g_autofree char *lines =
        g_strdup_printf("Certificate=file:%s\nCRL=http://ca.example.com/ca.crl", own);
    return kit_profile(ca, lines);
}

static DialtoneCredentialAccess access_of(Server *server)
{
    DialtoneCredentialAccess access = kit_access();
    access.download = download;
    access.tell = tell;
    access.cache = server->cache;
    access.data = server;
    return access;
}

/* How many lists there are then; @said is part of what is told, or NULL: nothing is. */
static void expect_lists(Server *server, guint n, const char *said)
{
    g_autoptr(DialtoneProfile) with = profile();
    const DialtoneCredentialAccess access = access_of(server);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
    assert_int_equal(dialtone_credential_crls(credential)->len, n);
    assert_int_equal(server->told != NULL, said != NULL);
    if (said != NULL)
        assert_non_null(strstr(server->told, said));
    g_clear_pointer(&server->told, g_free);
}

static char *kept_file(const Server *server)
{
    g_autoptr(GDir) folder = g_dir_open(server->cache, 0, NULL);
    assert_non_null(folder);
    return g_build_filename(server->cache, g_dir_read_name(folder), NULL);
}

/* What is kept is so many seconds old. */
static void grow_older(const Server *server, time_t age)
{
    const time_t then = time(NULL) - age;
    const struct utimbuf times = {then, then};
    g_autofree char *path = kept_file(server);
    assert_int_equal(utime(path, &times), 0);
}

static void grow_old(const Server *server)
{
    grow_older(server, 7200);
}

/* What is kept is this. */
static void replace_kept(const Server *server, GBytes *list_take)
{
    g_autofree char *path = kept_file(server);
    gsize n = 0;
    const char *bytes = g_bytes_get_data(list_take, &n);
    assert_true(g_file_set_contents(path, bytes, (gssize)n, NULL));
    g_bytes_unref(list_take);
}

/* libcrypto's own reader would ask the terminal for the passphrase of this, or standard input. */
#define LOCKED                                                                                     \
    "-----BEGIN X509 CRL-----\nProc-Type: 4,ENCRYPTED\n"                                           \
    "DEK-Info: AES-256-CBC,00112233445566778899AABBCCDDEEFF\n\n"                                   \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n-----END X509 CRL-----\n"

static GBytes *and_a_byte(GBytes *list_take)
{
    gsize n = 0;
    guint8 *bytes = g_bytes_unref_to_data(list_take, &n);
    bytes = g_realloc(bytes, n + 1);
    bytes[n] = '\n';
    return g_bytes_new_take(bytes, n + 1);
}

static void what_is_no_list_of_today_by_the_authority_is_not_taken(void **state)
{
    Server server = server_new();
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(write(ends[1], "root\n", 5), 5);
    const struct {
        GBytes *list;
        const char *said;
    } wrong[] = {
        {g_bytes_new_static("<html>", 6), "no revocation list"},
        {g_bytes_new_static("", 0), "no revocation list"},
        {g_bytes_new_static("\x30\x84\xff\xff\xff\xff", 6), "no revocation list"},
        {g_bytes_new_static(LOCKED, sizeof(LOCKED) - 1), "no revocation list"},
        {and_a_byte(list_by(&root, -60, 3600, false)), "no revocation list"},
        {list_by(&namesake, -60, 3600, false), "not signed by the authority"},
        {list_by(&root, -7200, -3600, false), "not in force"},
        {list_by(&root, 3600, 7200, false), "not in force"},
        {list_by(&root, -60, 0, false), "not in force"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        server_gives(&server, wrong[i].list);
        expect_lists(&server, 0, wrong[i].said);
        assert_false(g_file_test(server.cache, G_FILE_TEST_EXISTS));
    }
    char line[5];
    assert_int_equal(read(STDIN_FILENO, line, sizeof(line)), 5); /* nobody has read it */
    close(ends[0]);
    close(ends[1]);
    server_clear(&server);
}

static void every_cut_of_a_list_is_none(void **state)
{
    Server server = server_new();
    g_autoptr(GBytes) whole = list_by(&root, -60, 3600, false);
    for (gsize n = 0; n < g_bytes_get_size(whole); n++) {
        server_gives(&server, g_bytes_new(g_bytes_get_data(whole, NULL), n));
        expect_lists(&server, 0, "no revocation list");
    }
    server_clear(&server);
}

static void a_list_is_taken_in_either_form(void **state)
{
    Server server = server_new();
    GBytes *const good[] = {list_by(&root, -60, 3600, false), list_by(&root, -50, 3600, true)};
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        server_gives(&server, good[i]);
        expect_lists(&server, 1, NULL);
        grow_old(&server);
    }
    assert_int_equal(server.asked, G_N_ELEMENTS(good));
    server_clear(&server);
}

static void a_server_is_asked_once_an_hour(void **state)
{
    Server server = server_new();
    server_gives(&server, list_by(&root, -60, 3600, false));
    expect_lists(&server, 1, NULL);
    expect_lists(&server, 1, NULL);
    assert_int_equal(server.asked, 1);
    grow_old(&server);
    expect_lists(&server, 1, NULL);
    assert_int_equal(server.asked, 2);
    server_clear(&server);
}

static void what_was_kept_is_used_while_it_is_in_force(void **state)
{
    Server server = server_new();
    expect_lists(&server, 0, "no revocation list from http://ca.example.com/ca.crl: it sleeps.");
    server_gives(&server, list_by(&root, -60, 3600, false));
    expect_lists(&server, 1, NULL);
    grow_old(&server);
    server_gives(&server, NULL);
    expect_lists(&server, 1, "is in force, and is used");
    server_gives(&server, list_by(&namesake, -30, 3600, false));
    expect_lists(&server, 1, "is in force, and is used");
    server_gives(&server, NULL);
    replace_kept(&server, list_by(&root, -7200, -3600, false));
    expect_lists(&server, 0, "it sleeps.");
    replace_kept(&server, list_by(&namesake, -60, 3600, false));
    expect_lists(&server, 0, "it sleeps.");
    server_clear(&server);
}

/* What a server gives must not make the profile itself too large. */
static void the_lists_in_files_have_their_room_first(void **state)
{
    Server server = server_new();
    const DialtoneCredentialAccess access = access_of(&server);
    X509 *const authorities[] = {root.certificate, NULL};
    g_autofree char *ca = kit_write_pem("ca.pem", NULL, authorities, NULL);
    g_autofree char *own = kit_write_pem("own.pem", root.key, authorities, NULL);
    g_autofree char *file = kit_path("large.crl");
    g_autoptr(GBytes) large = list_of(&root, -60, 3600, false, 20000);
    gsize n = 0;
    const char *bytes = g_bytes_get_data(large, &n);
    assert_in_range(n, DIALTONE_CREDENTIAL_BYTES_MAX / 2, DIALTONE_CREDENTIAL_LIST_MAX);
    assert_true(g_file_set_contents(file, bytes, (gssize)n, NULL));
    g_autofree char *lines =
        g_strdup_printf("Certificate=file:%s\nCRL=http://ca.example.com/ca.crl;file:%s", own, file);
    g_autoptr(DialtoneProfile) with = kit_profile(ca, lines);
    server_gives(&server, list_of(&root, -50, 3600, false, 20000));
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
    assert_int_equal(dialtone_credential_crls(credential)->len, 1);
    assert_true(g_bytes_equal(dialtone_credential_crls(credential)->pdata[0], large));
    assert_non_null(strstr(server.told, "too large beside"));
    server_clear(&server);
}

/* The lists that are loaded are these, and @said is part of what is told, or NULL. */
static void expect_exactly(Server *server, const char *said, GBytes *first, GBytes *second)
{
    g_autoptr(DialtoneProfile) with = profile();
    const DialtoneCredentialAccess access = access_of(server);
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
    const GPtrArray *lists = dialtone_credential_crls(credential);
    assert_int_equal(lists->len, second != NULL ? 2 : 1);
    assert_true(g_bytes_equal(lists->pdata[0], first));
    assert_true(second == NULL || g_bytes_equal(lists->pdata[1], second));
    assert_int_equal(server->told != NULL, said != NULL);
    assert_true(said == NULL || strstr(server->told, said) != NULL);
    g_clear_pointer(&server->told, g_free);
}

/* Who steals a gateway's key would else only have to answer with a list of nobody's. */
static void a_list_of_another_never_takes_the_place_of_the_authority_s(void **state)
{
    Server server = server_new();
    g_autoptr(GBytes) kept = list_by(&root, -600, 3600, false);
    server_gives(&server, g_bytes_ref(kept));
    expect_exactly(&server, NULL, kept, NULL);
    for (guint i = 0; i < 2; i++) { /* nor does it on the disk */
        grow_old(&server);
        server_gives(&server, list_by(&stranger, -60, 3600, false));
        expect_exactly(&server, "of another authority", kept, NULL);
    }
    replace_kept(&server, list_by(&root, -7200, -3600, false));
    g_autoptr(GBytes) other = list_by(&stranger, -60, 3600, false);
    server_gives(&server, g_bytes_ref(other));
    expect_exactly(&server, NULL, other, NULL);
    server_clear(&server);
}

/* Genuine ones, but not what was fetched before: a part of the authority's lists says nothing of
 * the rest of its certificates. */
static void no_other_list_of_the_authority_does(void **state)
{
    Server server = server_new();
    g_autoptr(GBytes) kept = list_by(&root, -600, 3600, false);
    server_gives(&server, g_bytes_ref(kept));
    expect_exactly(&server, NULL, kept, NULL);
    grow_old(&server);
    extension = "2.5.29.28=critical,DER:30:03:82:01:ff"; /* onlyContainsCACerts */
    server_gives(&server, list_by(&root, -60, 3600, false));
    expect_exactly(&server, "about other certificates", kept, NULL);
    extension = "2.5.29.27=critical,DER:02:01:01"; /* a delta to number 1 */
    server_gives(&server, list_by(&root, -60, 3600, false));
    expect_exactly(&server, "no revocation list", kept, NULL);
    extension = NULL;
    server_clear(&server);
}

/* An authority that CA has, too: with CA=system anybody can fetch the lists of hundreds. */
static void a_list_of_a_second_authority_does_not_either(void **state)
{
    Server server = server_new();
    const DialtoneCredentialAccess access = access_of(&server);
    X509 *const authorities[] = {root.certificate, stranger.certificate, NULL};
    g_autofree char *ca = kit_write_pem("both.pem", NULL, authorities, NULL);
    g_autofree char *own = kit_write_pem("own.pem", root.key, authorities, NULL);
    g_autofree char *lines =
        g_strdup_printf("Certificate=file:%s\nCRL=http://ca.example.com/ca.crl", own);
    g_autoptr(DialtoneProfile) with = kit_profile(ca, lines);
    g_autoptr(GBytes) kept = list_by(&root, -600, 3600, false);
    server_gives(&server, g_bytes_ref(kept));
    g_autoptr(DialtoneCredential) before = kit_expect_loaded(with, &access);
    assert_int_equal(dialtone_credential_crls(before)->len, 1);
    assert_null(server.told);
    grow_old(&server);
    server_gives(&server, list_by(&stranger, -60, 3600, false));
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
    assert_int_equal(dialtone_credential_crls(credential)->len, 1);
    assert_true(g_bytes_equal(dialtone_credential_crls(credential)->pdata[0], kept));
    assert_non_null(strstr(server.told, "of another authority"));
    server_clear(&server);
}

/* The issuer may be an intermediate, whose certificate only the gateway shows: which of two is
 * forged is not known here. */
static void lists_of_an_issuer_that_is_not_known_are_handed_on_side_by_side(void **state)
{
    Server server = server_new();
    g_autoptr(GBytes) first = list_by(&stranger, -600, 3600, false);
    g_autoptr(GBytes) second = list_by(&stranger, -60, 3600, false);
    g_autoptr(GBytes) authentic = list_by(&root, -60, 3600, false);
    server_gives(&server, g_bytes_ref(first));
    expect_exactly(&server, NULL, first, NULL);
    expect_exactly(&server, NULL, first, NULL); /* the same again */
    assert_int_equal(server.asked, 2);          /* an hour is not waited for */
    server_gives(&server, g_bytes_ref(second));
    expect_exactly(&server, NULL, first, second);
    server_gives(&server, g_bytes_ref(authentic));
    expect_exactly(&server, NULL, first, authentic);
    server_gives(&server, NULL);
    expect_exactly(&server, "is in force, and is used", first, NULL);
    server_clear(&server);
}

/* One that was forged to be in force for ever would stand in the way of the right one's keeping. */
static void what_nobody_vouched_for_is_kept_for_a_week(void **state)
{
    Server server = server_new();
    g_autoptr(GBytes) first = list_by(&stranger, -600, 1000000, false);
    g_autoptr(GBytes) second = list_by(&stranger, -60, 1000000, false);
    server_gives(&server, g_bytes_ref(first));
    expect_exactly(&server, NULL, first, NULL);
    server_gives(&server, g_bytes_ref(second));
    grow_older(&server, 6 * 86400);
    expect_exactly(&server, NULL, first, second);
    grow_older(&server, 8 * 86400);
    expect_exactly(&server, NULL, second, NULL);
    server_gives(&server, NULL);
    expect_exactly(&server, "is in force, and is used", second, NULL);
    server_clear(&server);
}

/* Who plays an old list back takes revocations back. */
static void an_older_list_never_takes_the_place_of_a_newer(void **state)
{
    Server server = server_new();
    g_autoptr(DialtoneProfile) with = profile();
    const DialtoneCredentialAccess access = access_of(&server);
    g_autoptr(GBytes) newer = list_by(&root, -60, 3600, false);
    server_gives(&server, g_bytes_ref(newer));
    expect_lists(&server, 1, NULL);
    grow_old(&server);
    server_gives(&server, list_by(&root, -600, 3600, false));
    g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
    const GPtrArray *lists = dialtone_credential_crls(credential);
    assert_int_equal(lists->len, 1);
    assert_true(g_bytes_equal(lists->pdata[0], newer));
    assert_non_null(strstr(server.told, "is older than"));
    server_clear(&server);
}

static void nothing_is_fetched_to_describe_and_nothing_kept_without_a_folder(void **state)
{
    Server server = server_new();
    g_autoptr(DialtoneProfile) with = profile();
    DialtoneCredentialAccess access = kit_access();
    g_autoptr(DialtoneCertificate) shown = dialtone_credential_describe(with, &access, NULL);
    assert_non_null(shown);
    access = access_of(&server);
    access.cache = NULL;
    server_gives(&server, list_by(&root, -60, 3600, false));
    for (guint i = 1; i <= 2; i++) {
        g_autoptr(DialtoneCredential) credential = kit_expect_loaded(with, &access);
        assert_int_equal(dialtone_credential_crls(credential)->len, 1);
        assert_int_equal(server.asked, i);
    }
    server_clear(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define CASE(test) cmocka_unit_test_setup_teardown(test, kit_setup, kit_teardown)
        CASE(what_is_no_list_of_today_by_the_authority_is_not_taken),
        CASE(every_cut_of_a_list_is_none),
        CASE(a_list_is_taken_in_either_form),
        CASE(the_lists_in_files_have_their_room_first),
        CASE(a_list_of_another_never_takes_the_place_of_the_authority_s),
        CASE(no_other_list_of_the_authority_does),
        CASE(a_list_of_a_second_authority_does_not_either),
        CASE(lists_of_an_issuer_that_is_not_known_are_handed_on_side_by_side),
        CASE(what_nobody_vouched_for_is_kept_for_a_week),
        CASE(a_server_is_asked_once_an_hour),
        CASE(what_was_kept_is_used_while_it_is_in_force),
        CASE(an_older_list_never_takes_the_place_of_a_newer),
        CASE(nothing_is_fetched_to_describe_and_nothing_kept_without_a_folder),
    };
    return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
