/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secrets file. Behind the first `=` everything is literal to the end of the line, blanks,
 * quotes and backslashes included, for a password is bytes and whoever wrote it meant each of
 * them. A byte order mark is skipped. In a file whose [Secrets] line ends with CR LF, CR LF ends
 * every line; in all others a CR is a part of the secret like any byte.
 *
 * The file's text is read into secret memory, each value is copied into secret memory of its own,
 * and nothing of either gets into a message.
 */
#include "client/profile/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "client/common/i18n.h"
#include "client/common/text.h"
#include "client/profile/issue.h"
#include "client/profile/scan.h"

enum { FILE_MAX = 64 * 1024, VALUE_MAX = 4096 };

static const char GROUP[] = "Secrets";
static const char *const KEYS[] = {"PSK", "User", "Password", "Passphrase", "Passcode", NULL};
enum { PASSCODE = 4 }; /* the one key that may stand several times */

typedef struct {
    DialtoneSecrets *secrets;
    GPtrArray *issues;
    guint line;
    const char *key; /* that is read now */
    guint header;    /* line of [Secrets]; 0: not met */
    bool crlf;
    guint lines[G_N_ELEMENTS(KEYS) - 1]; /* where each key stands */
} Parser;

void dialtone_secrets_free(DialtoneSecrets *secrets)
{
    if (secrets == NULL)
        return;
    secrets->memory->free(secrets->psk.bytes);
    secrets->memory->free(secrets->user.bytes);
    secrets->memory->free(secrets->password.bytes);
    secrets->memory->free(secrets->passphrase.bytes);
    for (gsize i = 0; i < secrets->n_passcodes; i++)
        secrets->memory->free(secrets->passcodes[i].bytes);
    g_free(secrets);
}

static DialtoneSecret *slot_of(DialtoneSecrets *secrets, gsize key)
{
    gsize next = MIN(secrets->n_passcodes, DIALTONE_PASSCODES_MAX - 1);
    DialtoneSecret *slots[] = {&secrets->psk, &secrets->user, &secrets->password,
                               &secrets->passphrase, &secrets->passcodes[next]};
    return slots[key];
}

static bool complain(Parser *parser, const char *message)
{
    DialtoneIssue where = {
        .line = parser->line, .group = (char *)GROUP, .key = (char *)parser->key};

    dialtone_issues_add(parser->issues, &where, "%s", message);
    return false;
}

/* ---- values ---- */

static bool store(Parser *parser, DialtoneSecret *slot, const char *bytes, gsize n)
{
    slot->bytes = parser->secrets->memory->alloc(n + 1);
    if (slot->bytes == NULL)
        return complain(parser, _("there is no locked memory left for it"));
    memcpy(slot->bytes, bytes, n);
    slot->n = n;
    return true;
}

static bool store_hex(Parser *parser, DialtoneSecret *slot, const char *digits, gsize n)
{
    if (n == 0 || n % 2 != 0)
        return complain(parser, _("0x begins bytes and needs an even number of hex digits; for a "
                                  "secret that itself begins with 0x write text: before it"));
    for (gsize i = 0; i < n; i++)
        if (!g_ascii_isxdigit(digits[i]))
            return complain(parser, _("0x begins bytes and not all that follows is hex digits; "
                                      "for a secret that itself begins with 0x write text: "
                                      "before it"));
    if (!store(parser, slot, digits, n))
        return false;
    slot->n = n / 2;
    for (gsize i = 0; i < slot->n; i++)
        slot->bytes[i] = (guint8)(g_ascii_xdigit_value(digits[2 * i]) << 4 |
                                  g_ascii_xdigit_value(digits[2 * i + 1]));
    memset(slot->bytes + slot->n, 0, slot->n);
    return true;
}

static bool begins(const char *bytes, gsize n, const char *prefix)
{
    gsize m = strlen(prefix);

    return n >= m && memcmp(bytes, prefix, m) == 0;
}

static void check_user(Parser *parser, const DialtoneSecret *user)
{
    for (gsize i = 0; i < user->n; i++) {
        if (user->bytes[i] < 0x20 || user->bytes[i] == 0x7f) {
            complain(parser, _("a user's name has no control characters"));
            return;
        }
    }
}

static bool store_literal(Parser *parser, DialtoneSecret *slot, const char *bytes, gsize n)
{
    bool forced = begins(bytes, n, "text:");
    bool may_be_empty =
        forced && (slot == &parser->secrets->password || slot == &parser->secrets->passphrase);

    if (forced) {
        bytes += strlen("text:");
        n -= strlen("text:");
    }
    if (n == 0 && !may_be_empty)
        return complain(parser, _("nothing stands behind the `=`; write the secret there, or "
                                  "remove the line"));
    return store(parser, slot, bytes, n);
}

static void parse_value(Parser *parser, gsize key, const char *bytes, gsize n)
{
    DialtoneSecret *slot = slot_of(parser->secrets, key);

    if (n > VALUE_MAX)
        complain(parser, _("longer than 4096 bytes"));
    else if (begins(bytes, n, "0x") ? store_hex(parser, slot, bytes + 2, n - 2)
                                    : store_literal(parser, slot, bytes, n))
        if (slot == &parser->secrets->user)
            check_user(parser, slot);
}

/* ---- lines ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void trim(const char **bytesp, gsize *np)
{
    while (*np > 0 && is_blank(**bytesp)) {
        (*bytesp)++;
        (*np)--;
    }
    while (*np > 0 && is_blank((*bytesp)[*np - 1]))
        (*np)--;
}

static void parse_header(Parser *parser, const char *line, gsize n, bool crlf)
{
    static const char header[] = "[Secrets]";

    if (n != strlen(header) || memcmp(line, header, n) != 0) {
        complain(parser, _("the only group of a secrets file is [Secrets]"));
        return;
    }
    if (parser->header != 0) {
        complain(parser, _("the group stands twice; put its keys together"));
        return;
    }
    parser->header = parser->line;
    parser->crlf = crlf;
}

static void refuse_key(Parser *parser, const char *key, gsize n)
{
    g_autofree char *name = g_strndup(key, MIN(n, 40));
    const char *near = dialtone_text_nearest(name, KEYS);

    if (near != NULL) {
        g_autofree char *message = g_strdup_printf(_("unknown key; did you mean %s?"), near);
        complain(parser, message);
    } else {
        complain(parser, _("unknown key; there are PSK, User, Password, Passphrase and Passcode"));
    }
}

static gsize find_key(const char *key, gsize n)
{
    for (gsize i = 0; KEYS[i] != NULL; i++)
        if (n == strlen(KEYS[i]) && memcmp(key, KEYS[i], n) == 0)
            return i;
    return G_N_ELEMENTS(KEYS) - 1;
}

static void parse_entry(Parser *parser, const char *line, gsize n)
{
    const char *equals = memchr(line, '=', n);
    const char *name = line;
    gsize name_n = equals != NULL ? (gsize)(equals - line) : 0;

    trim(&name, &name_n);
    if (equals == NULL || name_n == 0) {
        complain(parser, _("no key; write PSK=, User=, Password= or Passphrase= and the secret "
                           "behind it"));
        return;
    }
    if (parser->header == 0) {
        complain(parser, _("the line stands before the group; begin the file with [Secrets]"));
        return;
    }
    gsize key = find_key(name, name_n);
    if (KEYS[key] == NULL) {
        refuse_key(parser, name, name_n);
        return;
    }
    parser->key = KEYS[key];
    if (key == PASSCODE && parser->secrets->n_passcodes == DIALTONE_PASSCODES_MAX) {
        complain(parser, _("the file has more than 8 codes; remove the last ones"));
        return;
    }
    if (parser->lines[key] != 0 && key != PASSCODE) {
        complain(parser, _("the key stands twice; remove one"));
        return;
    }
    parser->lines[key] = parser->line;
    parse_value(parser, key, equals + 1, n - (gsize)(equals + 1 - line));
    if (key == PASSCODE && slot_of(parser->secrets, key)->bytes != NULL)
        parser->secrets->n_passcodes++;
}

static void parse_line(Parser *parser, const char *line, gsize n)
{
    bool crlf = n > 0 && line[n - 1] == '\r';
    const char *bare = line;
    gsize bare_n = n;

    parser->key = NULL;
    trim(&bare, &bare_n);
    if (bare_n == 0 || *bare == '#')
        return;
    if (memchr(line, '\0', n) != NULL)
        complain(parser, _("the line has a NUL byte; write such a secret as 0x and hex digits"));
    else if (*bare == '[')
        parse_header(parser, bare, bare_n, crlf);
    else
        parse_entry(parser, line, parser->crlf && crlf ? n - 1 : n);
}

static bool has_any(DialtoneSecrets *secrets)
{
    if (secrets->n_passcodes > 0)
        return true;
    for (gsize i = 0; KEYS[i] != NULL; i++)
        if (slot_of(secrets, i)->bytes != NULL)
            return true;
    return false;
}

DialtoneSecrets *dialtone_secrets_parse(const char *bytes, gsize n, const char *file,
                                        const DialtoneSecretMemory *memory, GError **error)
{
    g_autoptr(DialtoneSecrets) secrets = g_new0(DialtoneSecrets, 1);
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    Parser parser = {.secrets = secrets, .issues = issues};
    DialtoneLines lines;
    const char *line;
    gsize length;

    secrets->memory = memory;
    dialtone_lines_init(&lines, bytes, n);
    while (dialtone_lines_next(&lines, &line, &length)) {
        parser.line = lines.line;
        parse_line(&parser, line, length);
    }
    parser.key = NULL;
    parser.line = MAX(lines.line, 1);
    if (issues->len == 0 && !has_any(secrets))
        complain(&parser, _("the file holds no secret; write [Secrets] and below it PSK=..."));
    if (issues->len > 0) {
        const char *shown = strcmp(file, "-") == 0 ? _("standard input") : file;
        g_autofree char *text = dialtone_issues_text(issues, shown);
        dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID,
                             _("Mend the secrets file and try again."), "%s", text);
        return NULL;
    }
    return g_steal_pointer(&secrets);
}

DialtoneSecrets *dialtone_secrets_typed_psk(const char *bytes, gsize n,
                                            const DialtoneSecretMemory *memory, GError **error)
{
    g_autoptr(DialtoneSecrets) secrets = g_new0(DialtoneSecrets, 1);
    g_autoptr(GPtrArray) issues = dialtone_issues_new();
    Parser parser = {.secrets = secrets, .issues = issues};

    secrets->memory = memory;
    parse_value(&parser, 0, bytes, n);
    if (issues->len == 0)
        return g_steal_pointer(&secrets);
    const DialtoneIssue *issue = g_ptr_array_index(issues, 0);
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, NULL,
                         _("That is no preshared key: %s."), issue->message);
    return NULL;
}

/* ---- the file ---- */

static bool refuse(GError **error, const char *advice, const char *path, const char *why)
{
    dialtone_failure_set(error, DIALTONE_FAILURE_PROFILE_INVALID, advice, "%s: %s", path, why);
    return false;
}

/* On the open file, not on its name: between two looks at a name another file may take it. */
static bool check_file(int fd, const char *path, uid_t caller, GError **error)
{
    struct stat info;

    if (fstat(fd, &info) != 0)
        return refuse(error, NULL, path, g_strerror(errno));
    if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
        return refuse(error, NULL, path, _("the secrets file is no regular file"));
    if (info.st_uid != caller && info.st_uid != 0)
        return refuse(error, _("A secrets file belongs to whoever connects, or to root."), path,
                      _("the secrets file belongs to another user"));
    guint mode = info.st_mode & 07777;
    if (mode != 0600 && mode != 0400) {
        g_autofree char *why = g_strdup_printf(
            _("the secrets file has mode %04o, and only 0600 or 0400 will do"), mode);
        g_autofree char *advice = g_strdup_printf(_("Run: chmod 600 %s"), path);
        return refuse(error, advice, path, why);
    }
    return true;
}

int dialtone_secrets_open(const char *path, uid_t caller, GError **error)
{
    if (strcmp(path, "-") == 0) {
        int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
        if (copy < 0)
            refuse(error, NULL, _("standard input"), g_strerror(errno));
        return copy;
    }
    /* Links are followed: secrets mounted by others are often links, and what counts is whose the
     * file is that was opened. O_NONBLOCK: a FIFO without a writer must not hang us here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        refuse(error, NULL, path, g_strerror(errno));
        return -1;
    }
    if (!check_file(fd, path, caller, error)) {
        close(fd);
        return -1;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    return fd;
}

/* 1: a whole file; 0: too large; -1: errno */
static int read_all(int fd, char *text, gsize *np)
{
    gsize n = 0;

    while (n <= FILE_MAX) {
        ssize_t got = read(fd, text + n, FILE_MAX + 1 - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            *np = n;
            return 1;
        }
        n += (gsize)got;
    }
    return 0;
}

DialtoneSecrets *dialtone_secrets_read(int fd, const char *file, const DialtoneSecretMemory *memory,
                                       GError **error)
{
    DialtoneSecrets *secrets = NULL;
    const char *shown = strcmp(file, "-") == 0 ? _("standard input") : file;
    gsize n = 0;
    char *text = memory->alloc(FILE_MAX + 1);
    if (text == NULL) {
        dialtone_failure_set(error, DIALTONE_FAILURE_INTERNAL, NULL, "%s",
                             _("there is no memory for secrets"));
        return NULL;
    }
    int read = read_all(fd, text, &n);
    if (read < 0)
        refuse(error, NULL, shown, g_strerror(errno));
    else if (read == 0)
        refuse(error, NULL, shown, _("it is too large for a secrets file"));
    else
        secrets = dialtone_secrets_parse(text, n, file, memory, error);
    memory->free(text);
    return secrets;
}
