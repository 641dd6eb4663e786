/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published packets and tags, in hex. */
#ifndef TESTS_UNIT_IKE_VECTORS_ESP_H
#define TESTS_UNIT_IKE_VECTORS_ESP_H

#include <stdint.h>

/* RFC 3602, section 4, cases 7 and 8: tunnel mode, AES-CBC with 128 bits, no integrity. */
typedef struct CbcVector {
    const char *source, *key, *packet, *inner;
} CbcVector;

static const CbcVector CBC_VECTORS[] = {
    {"RFC 3602 case 7", "0123456789abcdef0123456789abcdef",
     "0000876500000002f4e765244f6407adf13dc1380f673f37773b5241a4c449225e4f3ce5ed611b0c"
     "237ca96cf74a93013c1b0ea1a0cf70f8e4ecaec78ac53aad7a0f022b859243c647752e94a859352b"
     "8a4d4d2decd136e5c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
     "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d02a20400"
     "08090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
     "3031323334353637"},
    {"RFC 3602 case 8", "0123456789abcdef0123456789abcdef",
     "000087650000000585d47224b5f3dd5d2101d4ea8dffab2215b92683819596a8047232cc00f7048f"
     "e45318e11f8a0f62ede3c3fc61203bb50f980a08c9843fd3a1b06d5c07ff9639b7eb7dfb3512e5de"
     "435e7207ed971ef3d2726d9b5ef6affc6d17a0decbb13892",
     "45000044090c00004001f990c0a87b03c0a87bc80800d63caa0a0200c69c083da3de0300"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
};

/* draft-mcgrew-gcm-test-01, the cases with 32-bit sequence numbers. Their next header is 1. */
typedef struct GcmVector {
    const char *cipher, *key_and_salt, *iv, *aad, *plain, *sealed; /* sealed: and the tag */
} GcmVector;

static const GcmVector GCM_VECTORS[] = {
    {"aes128gcm16", "feffe9928665731c6d6a8f9467308308cafebabe", "facedbaddecaf888",
     "0000a5f80000000a",
     "4500003e698f000080114dccc0a80102c0a801010a980035002a2343b2d0010000010000"
     "00000000037369700963796265726369747902646b00000100010001",
     "deb22cd9b07c72c16e3a65beeb8df304a5a5897d33ae530f1ba76d5d114d2a5c3de81827"
     "c10e9a4f51330d0eec416642cfbb85a5b47e48a4ec3b9ba95d918bd1"
     "83b70d3aa8bc6ee4c309e9d85a41ad4a"},
    {"aes256gcm16", "abbccddef00112233445566778899aababbccddef00112233445566778899aab11223344",
     "0102030405060708", "4a2cbfe300000002",
     "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee00000000070024000"
     "20bf0000020405b40101040201020201",
     "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a6379"
     "85771d347f0545659f14e99def842d8eb335f4eecfdbf831824b4c4915956c96"},
    {"aes128gcm16", "0000000000000000000000000000000000000000", "0000000000000000",
     "0000000000000001",
     "4500003c99c500008001cb7a40679318010101010800075c020044006162636465666768"
     "696a6b6c6d6e6f707172737475767761626364656667686901020201",
     "4688daf2f973a392732909c331d56d60f694abaa414b5e7ff5fdcdfff5e9a28445647649"
     "2719ffb64de7d9dca1e1d894bc3bd57873ed4d181d19d4d5c8c18af3"
     "f821d496eeb096e98ad2b69e4799c71d"},
    {"aes192gcm16", "feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe", "facedbaddecaf888",
     "0000a5f80000000a",
     "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d0"
     "75680001",
     "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b2745"
     "2144cc7795457b9652037f5318027b5b4cd7a636"},
    {"aes128gcm16", "7d773d00c144c525ac619d18c84a3f47d9664267", "43457e9182443bc6",
     "335467aeffffffff", "01020201", "437f866bcb3f699fe9b0822bac961c4504bef270"},
};

/* RFC 2202 (MD5, SHA1) and RFC 4868, 2.7.2: a key as long as the hash of 0x0b, "Hi There". */
typedef struct HmacVector {
    const char *hash, *mac;
} HmacVector;

static const HmacVector HMAC_VECTORS[] = {
    {"md5", "9294727a3638bb1c13f48ef8158bfc9d"},
    {"sha1", "b617318655057264e28bc0b6fb378c8ef146be00"},
    {"sha256", "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7"},
    {"sha384", "b6a8d5636f5c6a7224f9977dcf7ee6c7fb6d0c48cbdee9737a959796489bddbc4c5df61d5b3297b4"
               "fb68dab9f1b582c2"},
    {"sha512", "637edc6e01dce7e6742a99451aae82df23da3e92439e590e43e761b33e910fb8ac2878ebd5803f6f"
               "0b61dbce5e251ff8789a4722c1be65aea45fd464e89f8f5b"},
};

#endif
