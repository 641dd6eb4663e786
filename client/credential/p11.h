/* SPDX-License-Identifier: GPL-2.0-or-later */
/* p11-kit's functions. The library is loaded where a token is asked for, for few profiles name one:
 * to map it is a tenth of the time that a program takes to start, and no process that speaks to the
 * network has any business with it. */
#pragma once

#include <glib.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#define CREDENTIAL_P11_FUNCTIONS(F)                                                                \
    F(be_quiet)                                                                                    \
    F(message)                                                                                     \
    F(modules_finalize_and_release)                                                                \
    F(modules_load_and_initialize)                                                                 \
    F(space_strdup)                                                                                \
    F(strerror)                                                                                    \
    F(uri_clear_attribute)                                                                         \
    F(uri_format)                                                                                  \
    F(uri_free)                                                                                    \
    F(uri_get_attributes)                                                                          \
    F(uri_get_pin_source)                                                                          \
    F(uri_get_token_info)                                                                          \
    F(uri_match_module_info)                                                                       \
    F(uri_match_token_info)                                                                        \
    F(uri_message)                                                                                 \
    F(uri_new)                                                                                     \
    F(uri_parse)                                                                                   \
    F(uri_set_attribute)

/* Each by its name behind p11_kit_. */
typedef struct CredentialP11 {
#define CREDENTIAL_P11_MEMBER(name) __typeof__(p11_kit_##name) *name;
    CREDENTIAL_P11_FUNCTIONS(CREDENTIAL_P11_MEMBER)
#undef CREDENTIAL_P11_MEMBER
} CredentialP11;

/* NULL: it is not installed. Of any thread; never unloaded. */
const CredentialP11 *credential_p11(void) G_GNUC_WARN_UNUSED_RESULT;
