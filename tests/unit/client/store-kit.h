/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the layered store share: a system of their own, in a folder. */
#pragma once

#include "profile-kit.h"

#include "client/profile/store.h"

typedef struct {
    char *path;
    DialtoneRoot root;
    char *folder[DIALTONE_LAYER_N];
    DialtoneStore *store; /* with `folder` as its folders */
} StoreKit;

/* For cmocka's setup and teardown. */
int store_kit_setup(void **state);
int store_kit_teardown(void **state);

/* A file of a layer, or below the root, as an administrator would write it. */
void store_kit_put(const StoreKit *kit, DialtoneLayer layer, const char *file, const char *text);
void store_kit_put_at(const StoreKit *kit, const char *path, const char *text, guint mode);
/* The whole path of a file of a layer; the caller frees it. */
char *store_kit_path(const StoreKit *kit, DialtoneLayer layer, const char *file);

#define NAMED(name)           GOOD_PROFILE "[Profile]\nName=" name "\n"
#define WITH_UUID(name, uuid) NAMED(name) "UUID=" uuid "\n"
#define UUID_A                "6f1c0f5e-0d0f-4d53-8a36-1c1d4f0a2b11"
#define UUID_B                "0b8a7a52-5d44-4f43-bb0c-7c3f1a1e5c22"
