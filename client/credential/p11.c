/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads p11-kit, by the name under which it keeps its functions compatible. One of them missing is
 * the same as all: what can't be used is not half used.
 */
#include "client/credential/p11.h"

#include <dlfcn.h>
#include <stdbool.h>

static bool load(CredentialP11 *p11)
{
    void *library = dlopen("libp11-kit.so.0", RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        return false;
#define LOAD(name)                                                                                 \
    *(void **)&p11->name = dlsym(library, "p11_kit_" #name);                                       \
    if (p11->name == NULL)                                                                         \
        return false;
    CREDENTIAL_P11_FUNCTIONS(LOAD)
#undef LOAD
    return true;
}

const CredentialP11 *credential_p11(void)
{
    static CredentialP11 loaded;
    static const CredentialP11 *p11;
    static gsize once;

    if (g_once_init_enter(&once)) {
        p11 = load(&loaded) ? &loaded : NULL;
        g_once_init_leave(&once, 1);
    }
    return p11;
}
