// SPDX-License-Identifier: GPL-2.0-or-later
/* libnftables, loaded by the process that needs it when it does.
 *
 * Every other process of this program would only start more slowly for it and its six libraries,
 * and a machine without it can have a tunnel all the same. One buffer is one transaction of
 * nf_tables: the kernel takes all of its commands or none.
 */
#include "platform/nft.h"

#include <dlfcn.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/stat.h>

#define LIBRARY "libnftables.so.1"

typedef struct Nft {
    struct nft_ctx *(*context_new)(uint32_t flags);
    void (*context_free)(struct nft_ctx *context);
    int (*buffer_output)(struct nft_ctx *context);
    int (*buffer_error)(struct nft_ctx *context);
    const char *(*error_buffer)(struct nft_ctx *context);
    int (*run)(struct nft_ctx *context, const char *commands);
} Nft;

static bool find_all(void *library, Nft *nft)
{
    const struct {
        const char *name;
        void *place;
    } symbols[] = {
        {"nft_ctx_new", &nft->context_new},
        {"nft_ctx_free", &nft->context_free},
        {"nft_ctx_buffer_output", &nft->buffer_output},
        {"nft_ctx_buffer_error", &nft->buffer_error},
        {"nft_ctx_get_error_buffer", &nft->error_buffer},
        {"nft_run_cmd_from_buffer", &nft->run},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(symbols); i++) {
        void *symbol = dlsym(library, symbols[i].name);

        if (!symbol)
            return false;
        memcpy(symbols[i].place, &symbol, sizeof symbol);
    }
    return true;
}

/* NULL where there is none. Stays loaded. */
static const Nft *load(void)
{
    static Nft nft;
    static gsize state; /* 1: there is none; 2: it is there */

    if (g_once_init_enter(&state)) {
        void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

        g_once_init_leave(&state, library && find_all(library, &nft) ? 2 : 1);
    }
    return state == 2 ? &nft : NULL;
}

bool platform_nft_is_there(void)
{
    struct stat status;

    /* Where it was when this was built; elsewhere only the loader finds it. */
    if (stat(DIALTONE_LIBNFTABLES, &status) == 0)
        return S_ISREG(status.st_mode) && status.st_size > 0;
    return load() != NULL;
}

/* The first line says what is wrong, the others point at the place. */
static void set_error(GError **error, const char *said)
{
    static const char prefix[] = "Error: ";
    g_autofree char *line = g_strndup(said, strcspn(said, "\n"));

    if (g_str_has_prefix(line, prefix))
        said = line + strlen(prefix);
    else
        said = line;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "nftables: %s",
                *said ? said : "the kernel refused the rules");
}

gboolean platform_nft_run(const char *commands, GError **error)
{
    const Nft *nft = load();
    struct nft_ctx *context = nft ? nft->context_new(NFT_CTX_DEFAULT) : NULL;

    if (!context) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "nftables: %s is not installed",
                    LIBRARY);
        return FALSE;
    }
    /* Nothing of it on our own output. */
    gboolean ok = nft->buffer_output(context) == 0 && nft->buffer_error(context) == 0;
    int r = ok ? nft->run(context, commands) : -1;

    if (r != 0)
        set_error(error, ok ? nft->error_buffer(context) : "");
    nft->context_free(context);
    return r == 0;
}
