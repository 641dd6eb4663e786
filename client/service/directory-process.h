/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What crosses between the service and the process that asks the directory, one datagram each: a
 * number and a question, and an answer of that number. */
#pragma once

#include <glib.h>

#include "client/profile/access.h"

enum {
    DIRECTORY_GIDS_MAX = 4096, /* groups of a caller beyond that are not looked at */
    DIRECTORY_QUESTION_MAX = 192 * 1024,
};

typedef struct DirectoryAnswer {
    guint32 id;
    guint32 named; /* 1: yes; else no */
} DirectoryAnswer;

/* All but the number. */
GBytes *directory_question(const DialtoneProfile *profile,
                           const DialtoneSubject *subject) G_GNUC_WARN_UNUSED_RESULT;
