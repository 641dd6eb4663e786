/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SoftHSM in a card reader that has a keypad: a module of PKCS #11 that takes no PIN of a program,
 * but waits until somebody has typed one, which is a file of that PIN at TEST_KEYPAD. Who types
 * LOCKED has typed a wrong one too often.
 */
#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

enum { TYPED_WITHIN_S = 60, PIN_MAX = 16 };

static CK_FUNCTION_LIST card, reader;

static CK_RV reader_info(CK_SLOT_ID slot, CK_TOKEN_INFO_PTR info)
{
    CK_RV result = card.C_GetTokenInfo(slot, info);
    info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
    return result;
}

static CK_RV reader_login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR_PTR pin,
                          CK_ULONG n)
{
    const char *path = getenv("TEST_KEYPAD");
    char typed[PIN_MAX] = "";
    if (pin != NULL || n != 0 || path == NULL)
        return CKR_ARGUMENTS_BAD;
    for (int i = 0; i < TYPED_WITHIN_S * 10; i++) {
        FILE *file = fopen(path, "r");
        if (file == NULL) {
            usleep(100000);
            continue;
        }
        if (fgets(typed, sizeof(typed), file) == NULL)
            *typed = '\0';
        fclose(file);
        unlink(path);
        if (strcmp(typed, "LOCKED") == 0)
            return CKR_PIN_LOCKED;
        return card.C_Login(session, user, (CK_UTF8CHAR_PTR)typed, strlen(typed));
    }
    return CKR_FUNCTION_CANCELED;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    CK_C_GetFunctionList get;
    CK_FUNCTION_LIST *found = NULL;
    void *module = dlopen(SOFTHSM, RTLD_NOW);
    void *symbol = module != NULL ? dlsym(module, "C_GetFunctionList") : NULL;
    if (symbol == NULL)
        return CKR_GENERAL_ERROR;
    memcpy(&get, &symbol, sizeof(get));
    CK_RV result = get(&found);
    if (result != CKR_OK)
        return result;
    card = reader = *found;
    reader.C_GetTokenInfo = reader_info;
    reader.C_Login = reader_login;
    reader.C_GetFunctionList = C_GetFunctionList;
    *list = &reader;
    return CKR_OK;
}
