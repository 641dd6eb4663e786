/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The certificates that the computer's tokens have, for who chooses one. Authorities are left out:
 * one module of p11-kit's is the system's own list of them. No PIN is given, so a card that hides
 * its certificates shows none.
 */
#include "client/credential/credential.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "client/common/text.h"
#include "client/credential/p11.h"
#include "client/credential/private.h"

enum { SLOTS_MAX = 64, OBJECTS_MAX = 32, LABEL_MAX = 200, ID_MAX = 256, VALUE_MAX = 16 * 1024 };

/* What is looked at. */
typedef struct Place {
    CK_FUNCTION_LIST *module;
    CK_TOKEN_INFO token;
    CK_SESSION_HANDLE session;
    GPtrArray *found;
} Place;

static void on_token_free(gpointer data)
{
    DialtoneTokenCertificate *certificate = data;
    g_free(certificate->uri);
    g_free(certificate->token);
    g_free(certificate->subject);
    g_free(certificate);
}

/* 0: it has none, or a longer one. */
static gsize attribute(const Place *place, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *wanted)
{
    const CK_ULONG size = wanted->ulValueLen;
    CK_RV result = place->module->C_GetAttributeValue(place->session, object, wanted, 1);

    wanted->ulValueLen = result == CKR_OK && wanted->ulValueLen <= size ? wanted->ulValueLen : 0;
    return wanted->ulValueLen;
}

/* The token's name, and of the object what tells it from the others there. */
static char *uri_of(const Place *place, const CK_ATTRIBUTE *id)
{
    P11KitUri *uri = credential_p11()->uri_new();
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE type = {.type = CKA_CLASS, .pValue = &class, .ulValueLen = sizeof(class)};
    CK_TOKEN_INFO *named = credential_p11()->uri_get_token_info(uri);
    char *text = NULL;

    memcpy(named->label, place->token.label, sizeof(named->label));
    memcpy(named->serialNumber, place->token.serialNumber, sizeof(named->serialNumber));
    credential_p11()->uri_set_attribute(uri, &type);
    credential_p11()->uri_set_attribute(uri, (CK_ATTRIBUTE *)(uintptr_t)id);
    if (credential_p11()->uri_format(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) != P11_KIT_URI_OK)
        text = NULL;
    credential_p11()->uri_free(uri);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

static char *label_of(const Place *place)
{
    g_autofree char *label =
        credential_p11()->space_strdup(place->token.label, sizeof(place->token.label));
    return dialtone_text_clean(label, strlen(label), LABEL_MAX, DIALTONE_TEXT_LINE);
}

static void take(const Place *place, X509 *certificate, const CK_ATTRIBUTE *id)
{
    char *uri = X509_check_ca(certificate) == 0 ? uri_of(place, id) : NULL;

    if (uri == NULL)
        return;
    DialtoneTokenCertificate *one = g_new0(DialtoneTokenCertificate, 1);
    *one = (DialtoneTokenCertificate){
        .uri = uri, .token = label_of(place), .subject = credential_subject(certificate)};
    g_ptr_array_add(place->found, one);
}

static void look_at_object(const Place *place, CK_OBJECT_HANDLE object)
{
    guint8 id[ID_MAX];
    g_autofree guint8 *value = g_malloc(VALUE_MAX);
    CK_ATTRIBUTE name = {.type = CKA_ID, .pValue = id, .ulValueLen = sizeof(id)};
    CK_ATTRIBUTE der = {.type = CKA_VALUE, .pValue = value, .ulValueLen = VALUE_MAX};

    if (attribute(place, object, &name) == 0 || attribute(place, object, &der) == 0)
        return;
    const guint8 *bytes = value;
    X509 *certificate = d2i_X509(NULL, &bytes, (long)der.ulValueLen);
    ERR_clear_error();
    if (certificate != NULL)
        take(place, certificate, &name);
    X509_free(certificate);
}

static void look_into_session(const Place *place)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted = {.type = CKA_CLASS, .pValue = &class, .ulValueLen = sizeof(class)};
    CK_OBJECT_HANDLE objects[OBJECTS_MAX];
    CK_ULONG n = 0;

    if (place->module->C_FindObjectsInit(place->session, &wanted, 1) != CKR_OK)
        return;
    if (place->module->C_FindObjects(place->session, objects, OBJECTS_MAX, &n) != CKR_OK)
        n = 0;
    place->module->C_FindObjectsFinal(place->session);
    for (CK_ULONG i = 0; i < MIN(n, OBJECTS_MAX); i++)
        look_at_object(place, objects[i]);
}

static void look_into_module(CK_FUNCTION_LIST *module, GPtrArray *found)
{
    CK_SLOT_ID slots[SLOTS_MAX];
    CK_ULONG n = SLOTS_MAX;

    if (module->C_GetSlotList(CK_TRUE, slots, &n) != CKR_OK)
        return;
    for (CK_ULONG i = 0; i < MIN(n, SLOTS_MAX); i++) {
        Place place = {.module = module, .found = found};
        if (module->C_GetTokenInfo(slots[i], &place.token) != CKR_OK ||
            module->C_OpenSession(slots[i], CKF_SERIAL_SESSION, NULL, NULL, &place.session) !=
                CKR_OK)
            continue;
        look_into_session(&place);
        module->C_CloseSession(place.session);
    }
}

GPtrArray *dialtone_token_certificates(void)
{
    GPtrArray *found = g_ptr_array_new_with_free_func(on_token_free);

    if (credential_p11() == NULL)
        return found;
    credential_p11()->be_quiet();
    CK_FUNCTION_LIST **modules = credential_p11()->modules_load_and_initialize(0);
    for (gsize i = 0; modules != NULL && modules[i] != NULL; i++)
        look_into_module(modules[i], found);
    if (modules != NULL)
        credential_p11()->modules_finalize_and_release(modules);
    return found;
}
