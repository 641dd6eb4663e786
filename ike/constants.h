/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers on the wire: ISAKMP (RFC 2408), the IPsec DOI (RFC 2407), IKE (RFC 2409), NAT traversal
 * (RFC 3947 and its drafts). Numbers of attributes stand in constants-attributes.h. Each number
 * stands in one of the two and nowhere else.
 */
#ifndef IKE_CONSTANTS_H
#define IKE_CONSTANTS_H

#include <stdint.h>

enum {
    IKE_VERSION = 0x10,
    IKE_COOKIE_SIZE = 8,
    IKE_HEADER_SIZE = 28,
    IKE_PAYLOAD_HEADER_SIZE = 4,
    IKE_FRAGMENT_HEADER_SIZE = 8, /* generic header included */
    IKE_NON_ESP_MARKER_SIZE = 4,  /* RFC 3948, 2.2 */
    IKE_PORT = 500,
    IKE_PORT_NATT = 4500,
    IKE_DOI_IPSEC = 1,
    IKE_SITUATION_IDENTITY_ONLY = 1,
    IKE_NONCE_MIN = 8, /* RFC 2409, 5 */
    IKE_NONCE_MAX = 256,
};

typedef enum IkePayloadType {
    IKE_PAYLOAD_NONE = 0,
    IKE_PAYLOAD_SA = 1,
    IKE_PAYLOAD_PROPOSAL = 2,
    IKE_PAYLOAD_TRANSFORM = 3,
    IKE_PAYLOAD_KE = 4,
    IKE_PAYLOAD_ID = 5,
    IKE_PAYLOAD_CERT = 6,
    IKE_PAYLOAD_CERTREQ = 7,
    IKE_PAYLOAD_HASH = 8,
    IKE_PAYLOAD_SIG = 9,
    IKE_PAYLOAD_NONCE = 10,
    IKE_PAYLOAD_NOTIFY = 11,
    IKE_PAYLOAD_DELETE = 12,
    IKE_PAYLOAD_VENDOR = 13,
    IKE_PAYLOAD_ATTRIBUTES = 14,
    IKE_PAYLOAD_NATD = 20,
    IKE_PAYLOAD_NATOA = 21,
    IKE_PAYLOAD_NATD_DRAFT = 130,
    IKE_PAYLOAD_NATOA_DRAFT = 131,
    IKE_PAYLOAD_FRAGMENT = 132,
} IkePayloadType;

typedef enum IkeExchangeType {
    IKE_EXCHANGE_BASE = 1,
    IKE_EXCHANGE_MAIN = 2,
    IKE_EXCHANGE_AGGRESSIVE = 4,
    IKE_EXCHANGE_INFORMATIONAL = 5,
    IKE_EXCHANGE_TRANSACTION = 6,
    IKE_EXCHANGE_QUICK = 32,
    IKE_EXCHANGE_NEW_GROUP = 33,
} IkeExchangeType;

enum { IKE_FRAGMENT_LAST = 0x01 }; /* flags of a fragment */

enum { IKE_FLAG_ENCRYPTION = 0x01, IKE_FLAG_COMMIT = 0x02, IKE_FLAG_AUTH_ONLY = 0x04 };

/* Certificate encodings (RFC 2408, 3.9) */
enum { IKE_CERT_PKCS7 = 1, IKE_CERT_X509_SIGNATURE = 4, IKE_CERT_CRL = 7 };

/* Protocols of proposals, DELETE and NOTIFY (RFC 2407, 4.4.1) */
enum { IKE_PROTOCOL_ISAKMP = 1, IKE_PROTOCOL_AH = 2, IKE_PROTOCOL_ESP = 3 };
enum { IKE_IP_PROTOCOL_UDP = 17 };

typedef enum IkeIdType {
    IKE_ID_ANY = 0, /* ours: no constraint */
    IKE_ID_IPV4 = 1,
    IKE_ID_FQDN = 2,
    IKE_ID_USER_FQDN = 3,
    IKE_ID_IPV4_SUBNET = 4,
    IKE_ID_IPV6 = 5,
    IKE_ID_IPV6_SUBNET = 6,
    IKE_ID_IPV4_RANGE = 7,
    IKE_ID_DER_ASN1_DN = 9,
    IKE_ID_KEY_ID = 11,
} IkeIdType;

/* NOTIFY (RFC 2408, 3.14.1; RFC 2407, 4.6.3; RFC 3706; vendors) */
#define IKE_NOTIFY_LIST(X)                                                                         \
    X(INVALID_PAYLOAD_TYPE, 1, "INVALID-PAYLOAD-TYPE")                                             \
    X(INVALID_COOKIE, 4, "INVALID-COOKIE")                                                         \
    X(INVALID_EXCHANGE_TYPE, 7, "INVALID-EXCHANGE-TYPE")                                           \
    X(INVALID_FLAGS, 8, "INVALID-FLAGS")                                                           \
    X(INVALID_MESSAGE_ID, 9, "INVALID-MESSAGE-ID")                                                 \
    X(INVALID_SPI, 11, "INVALID-SPI")                                                              \
    X(ATTRIBUTES_NOT_SUPPORTED, 13, "ATTRIBUTES-NOT-SUPPORTED")                                    \
    X(NO_PROPOSAL_CHOSEN, 14, "NO-PROPOSAL-CHOSEN")                                                \
    X(BAD_PROPOSAL_SYNTAX, 15, "BAD-PROPOSAL-SYNTAX")                                              \
    X(PAYLOAD_MALFORMED, 16, "PAYLOAD-MALFORMED")                                                  \
    X(INVALID_KEY_INFORMATION, 17, "INVALID-KEY-INFORMATION")                                      \
    X(INVALID_ID_INFORMATION, 18, "INVALID-ID-INFORMATION")                                        \
    X(INVALID_CERT_ENCODING, 19, "INVALID-CERT-ENCODING")                                          \
    X(INVALID_CERTIFICATE, 20, "INVALID-CERTIFICATE")                                              \
    X(CERT_TYPE_UNSUPPORTED, 21, "CERT-TYPE-UNSUPPORTED")                                          \
    X(INVALID_CERT_AUTHORITY, 22, "INVALID-CERT-AUTHORITY")                                        \
    X(INVALID_HASH_INFORMATION, 23, "INVALID-HASH-INFORMATION")                                    \
    X(AUTHENTICATION_FAILED, 24, "AUTHENTICATION-FAILED")                                          \
    X(INVALID_SIGNATURE, 25, "INVALID-SIGNATURE")                                                  \
    X(CERTIFICATE_UNAVAILABLE, 28, "CERTIFICATE-UNAVAILABLE")                                      \
    X(UNSUPPORTED_EXCHANGE_TYPE, 29, "UNSUPPORTED-EXCHANGE-TYPE")                                  \
    X(UNEQUAL_PAYLOAD_LENGTHS, 30, "UNEQUAL-PAYLOAD-LENGTHS")                                      \
    X(CONNECTED, 16384, "CONNECTED")                                                               \
    X(RESPONDER_LIFETIME, 24576, "RESPONDER-LIFETIME")                                             \
    X(REPLAY_STATUS, 24577, "REPLAY-STATUS")                                                       \
    X(INITIAL_CONTACT, 24578, "INITIAL-CONTACT")                                                   \
    X(R_U_THERE, 36136, "R-U-THERE")                                                               \
    X(R_U_THERE_ACK, 36137, "R-U-THERE-ACK")                                                       \
    X(CISCO_LOAD_BALANCE, 40501, "LOAD-BALANCE")

typedef enum IkeNotifyType {
#define IKE_NOTIFY_ENUM(name, number, text) IKE_NOTIFY_##name = number,
    IKE_NOTIFY_LIST(IKE_NOTIFY_ENUM)
#undef IKE_NOTIFY_ENUM
} IkeNotifyType;
enum { IKE_NOTIFY_ERROR_LAST = 8191 }; /* RFC 2408, 3.14.1: errors are 1 to 8191 */

/* The standard's name ("NO-PROPOSAL-CHOSEN"), or "unknown". Static storage. */
const char *ike_notify_name(uint32_t notify);

#endif
