/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in certificates: as text for people, and against the ID that the profile expects.
 */
#ifndef IKE_CERT_NAME_H
#define IKE_CERT_NAME_H

#include "ike/ike.h"

#include <openssl/x509.h>

/* "C=NL, O=Example, CN=gw": printable, cut where it is too long, always terminated. */
void ike_cert_format_name(const X509_NAME *name, char *text, size_t size);
/* The expected ID stands in it, in full: FQDN, email and IP address in subjectAltName, a DN as the
 * subject (RFC 5280, 7.1). Never in the CN (RFC 6125, 1.5), and no wildcard counts. */
bool ike_cert_has_id(X509 *cert, const IkeIdentity *expected);
/* No name in subjectAltName is cut short by a NUL, and the extension stands there once. */
bool ike_cert_names_are_sound(X509 *cert);

#endif
