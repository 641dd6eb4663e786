/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as arguments of D-Bus, in the form of org.dialtone.Helper1. All are floating. */
#pragma once

#include "platform/address.h"

#include <gio/gio.h>

/* "ay" of 4 or 16 bytes. */
GVariant *platform_address_to_variant(const PlatformAddress *address);
/* "a(ayu)" of an array of PlatformPrefix. */
GVariant *platform_prefixes_to_variant(const GArray *prefixes);
