/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dialtone-certificate sign: who opens a certificate's key for the window and signs with it. */
#pragma once

#include <stdbool.h>

/* Serves @fd, as client/tunnel/frames.h says, until its other end is closed. Returns the exit code.
 */
int signer_run(int fd, bool without_own, bool without_authorities);
