/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes dialtone-profile(5): standard input with the line @KEYS@ replaced by the keys of the
 * schema. Runs while the project is built, so that the manual can't name other keys, defaults or
 * values than the parser knows.
 */
#include <stdio.h>
#include <string.h>

#include "client/profile/schema.h"

/* In mdoc a backslash, a leading dot or quote, and a bare hyphen have meanings of their own. */
static void put_text(const char *text)
{
    if (*text == '.' || *text == '\'')
        fputs("\\&", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
    }
}

static void put_key(const DialtoneProfileKey *row)
{
    printf(".It Cm %s Ns = Ns \\&", row->key);
    putchar('\n');
    put_text(row->help);
    putchar('\n');
    if (row->required)
        puts("Must be written.");
    puts(".br");
    fputs("Values: ", stdout);
    put_text(row->syntax);
    if (row->fallback != NULL) {
        fputs(".\nDefault: ", stdout);
        put_text(row->fallback);
    }
    puts(".");
}

static void put_keys(void)
{
    const char *group = NULL;

    for (gsize i = 0; i < dialtone_profile_keys_n; i++) {
        const DialtoneProfileKey *row = &dialtone_profile_keys[i];
        if (group == NULL || strcmp(group, row->group) != 0) {
            if (group != NULL)
                puts(".El");
            printf(".Ss [%s]\n.Bl -tag -width Ds\n", row->group);
        }
        group = row->group;
        put_key(row);
    }
    puts(".El");
}

int main(void)
{
    char line[1024];

    while (fgets(line, sizeof(line), stdin) != NULL) {
        if (strcmp(line, "@KEYS@\n") == 0)
            put_keys();
        else
            fputs(line, stdout);
    }
    return ferror(stdin) || fflush(stdout) != 0;
}
