/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates and lists on their way to the protocol core, which copies them for each session.
 * They are public; nothing here is locked or wiped.
 */
#include "client/tunnel/credentials.h"

#include <openssl/err.h>
#include <openssl/x509.h>

static GPtrArray *items_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
}

TunnelCredentials *tunnel_credentials_new(void)
{
    TunnelCredentials *self = g_new0(TunnelCredentials, 1);
    self->chain = items_new();
    self->anchors = items_new();
    self->crls = items_new();
    return self;
}

void tunnel_credentials_free(TunnelCredentials *self)
{
    if (self == NULL)
        return;
    g_ptr_array_unref(self->chain);
    g_ptr_array_unref(self->anchors);
    g_ptr_array_unref(self->crls);
    g_free(self->subject);
    g_free(self->blobs);
    g_free(self);
}

void tunnel_credentials_add(GPtrArray *into, const GPtrArray *items)
{
    for (guint i = 0; i < items->len; i++)
        g_ptr_array_add(into, g_bytes_ref(items->pdata[i]));
}

TunnelCredentials *tunnel_credentials_copy(const TunnelCredentials *self)
{
    TunnelCredentials *copy = tunnel_credentials_new();
    tunnel_credentials_add(copy->chain, self->chain);
    tunnel_credentials_add(copy->anchors, self->anchors);
    tunnel_credentials_add(copy->crls, self->crls);
    copy->subject = g_strdup(self->subject);
    copy->not_after = self->not_after;
    return copy;
}

bool tunnel_credentials_have_old_list(const TunnelCredentials *self)
{
    bool old = false;
    for (guint i = 0; i < self->crls->len && !old; i++) {
        gsize n = 0;
        const guint8 *der = g_bytes_get_data(self->crls->pdata[i], &n);
        X509_CRL *crl = d2i_X509_CRL(NULL, &der, (long)n);
        const ASN1_TIME *until = crl != NULL ? X509_CRL_get0_nextUpdate(crl) : NULL;
        old = until != NULL && X509_cmp_current_time(until) < 0;
        X509_CRL_free(crl);
    }
    ERR_clear_error();
    return old;
}

static const IkeBlob *point_at(IkeBlob **nextp, const GPtrArray *items)
{
    const IkeBlob *first = *nextp;
    for (guint i = 0; i < items->len; i++) {
        gsize n = 0;
        const void *bytes = g_bytes_get_data(items->pdata[i], &n);
        *(*nextp)++ = (IkeBlob){.bytes = bytes, .n = n};
    }
    return first;
}

void tunnel_credentials_lend(TunnelCredentials *self, IkeCredentials *into)
{
    g_free(self->blobs);
    self->blobs = g_new0(IkeBlob, self->chain->len + self->anchors->len + self->crls->len + 1);
    IkeBlob *next = self->blobs;
    into->chain = point_at(&next, self->chain);
    into->chain_n = self->chain->len;
    into->anchors = point_at(&next, self->anchors);
    into->anchors_n = self->anchors->len;
    into->crls = point_at(&next, self->crls);
    into->crls_n = self->crls->len;
}
