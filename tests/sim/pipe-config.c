/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of ike-pipe's "new" command to an IkeConfig.
 */
#include "tests/sim/pipe-config.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/provider.h>
#include <openssl/sha.h>

size_t pipe_hex(const char *hex, uint8_t *bytes, size_t size)
{
    size_t n = 0;

    while (n < size && hex[0] != '\0' && hex[0] != '-' && hex[1] != '\0') {
        char pair[3] = {hex[0], hex[1], '\0'};
        bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
        hex += 2;
    }
    return n;
}

void pipe_secret(const char *hex, IkeSecret *secret)
{
    secret->known = true;
    secret->n = (uint16_t)pipe_hex(hex, secret->bytes, sizeof(secret->bytes));
}

int pipe_random(void *context, uint8_t *bytes, size_t n)
{
    PipeConfig *config = context;

    while (n > 0) {
        uint8_t digest[SHA256_DIGEST_LENGTH];
        uint64_t input[2] = {config->seed, config->drawn++};
        size_t take = n < sizeof(digest) ? n : sizeof(digest);
        SHA256((const uint8_t *)input, sizeof(input), digest);
        memcpy(bytes, digest, take);
        bytes += take;
        n -= take;
    }
    return 0;
}

static OSSL_PROVIDER *providers[2];

void pipe_load_providers(void)
{
    providers[0] = OSSL_PROVIDER_load(NULL, "legacy");
    providers[1] = OSSL_PROVIDER_load(NULL, "default");
}

void pipe_unload_providers(void)
{
    for (size_t i = 0; i < 2; i++)
        if (providers[i] != NULL)
            OSSL_PROVIDER_unload(providers[i]);
}

static bool parse_address(const char *text, uint8_t *bytes)
{
    for (int i = 0; i < 4; i++) {
        char *end = NULL;
        bytes[i] = (uint8_t)strtoul(text, &end, 10);
        if (end == text)
            return false;
        text = *end == '.' ? end + 1 : end;
    }
    return true;
}

static bool parse_identity(const char *text, IkeIdentity *id)
{
    static const struct {
        const char *prefix;
        IkeIdType type;
    } kinds[] = {
        {"fqdn:", IKE_ID_FQDN}, {"email:", IKE_ID_USER_FQDN}, {"keyid:", IKE_ID_KEY_ID},
        {"ip:", IKE_ID_IPV4},   {"dn:", IKE_ID_DER_ASN1_DN}, /* its DER in hex */
    };

    *id = (IkeIdentity){.type = IKE_ID_ANY};
    if (strcmp(text, "any") == 0)
        return true;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, n) != 0)
            continue;
        id->type = kinds[i].type;
        if (id->type == IKE_ID_IPV4) {
            id->n = 4;
            return parse_address(text + n, id->bytes);
        }
        if (id->type == IKE_ID_DER_ASN1_DN) {
            id->n = (uint16_t)pipe_hex(text + n, id->bytes, sizeof(id->bytes));
            return true;
        }
        id->n = (uint16_t)strlen(text + n);
        memcpy(id->bytes, text + n, id->n);
        return true;
    }
    return false;
}

/* Cuts "aes256-sha256-modp2048" into three words; missing ones are NULL. */
static void cut(char *text, char *words[3])
{
    char *save = NULL;

    for (int i = 0; i < 3; i++)
        words[i] = strtok_r(i == 0 ? text : NULL, "-", &save);
}

static bool parse_phase1(IkeConfig *config, char *list)
{
    char *save = NULL;

    config->phase1_n = 0;
    for (char *item = strtok_r(list, ";", &save); item != NULL; item = strtok_r(NULL, ";", &save)) {
        char *words[3];
        cut(item, words);
        if (words[2] == NULL || config->phase1_n == IKE_PHASE1_PROPOSALS_MAX)
            return false;
        IkePhase1Proposal *p = &config->phase1[config->phase1_n++];
        p->cipher = ike_cipher_by_name(words[0]);
        p->hash = ike_hash_by_name(words[1]);
        p->group = ike_group_by_name(words[2]);
        if (p->cipher == NULL || p->hash == NULL || p->group == NULL)
            return false;
    }
    return true;
}

static bool parse_phase2(IkeConfig *config, char *list)
{
    char *save = NULL;

    config->phase2_n = 0;
    for (char *item = strtok_r(list, ";", &save); item != NULL; item = strtok_r(NULL, ";", &save)) {
        char *words[3];
        cut(item, words);
        if (words[0] == NULL || config->phase2_n == IKE_PHASE2_PROPOSALS_MAX)
            return false;
        IkePhase2Proposal *p = &config->phase2[config->phase2_n++];
        *p = (IkePhase2Proposal){.cipher = ike_cipher_by_name(words[0])};
        int next = 1;
        if (words[1] != NULL && (p->integrity = ike_hash_by_name(words[1])) != NULL)
            next = 2;
        if (next < 3 && words[next] != NULL)
            p->pfs = ike_group_by_name(words[next]);
        if (p->cipher == NULL || (p->integrity == NULL) != ike_cipher_is_aead(p->cipher))
            return false;
    }
    return true;
}

static bool parse_networks(IkeConfig *config, char *list)
{
    char *save = NULL;

    config->networks_n = 0;
    for (char *item = strtok_r(list, ";", &save); item != NULL; item = strtok_r(NULL, ";", &save)) {
        IkeNetwork *n = &config->networks[config->networks_n++];
        const char *slash = strchr(item, '/');
        *n = (IkeNetwork){.family = 4};
        if (slash == NULL || !parse_address(item, n->bytes))
            return false;
        n->prefix = (uint8_t)strtoul(slash + 1, NULL, 10);
    }
    return true;
}

/* The index of a word in a list that ends with NULL, or -1. */
static int word_index(const char *word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return -1;
}

static bool parse_choice(IkeConfig *c, const char *key, const char *value)
{
    static const char *const xauth[] = {"auto", "required", "no", NULL};
    static const char *const config[] = {"auto", "pull", "push", "none", "dhcp", NULL};
    static const char *const natt[] = {"force", "auto", "off", NULL};
    static const char *const selectors[] = {"each", "any", NULL};
    static const char *const tristate[] = {"auto", "yes", "no", NULL};

    if (strcmp(key, "xauth") == 0)
        c->xauth = (IkeXauthMode)word_index(value, xauth);
    else if (strcmp(key, "config") == 0)
        c->config = (IkeConfigMode)word_index(value, config);
    else if (strcmp(key, "natt") == 0)
        c->natt = (IkeNattMode)word_index(value, natt);
    else if (strcmp(key, "selectors") == 0)
        c->selectors = (IkeSelectors)word_index(value, selectors);
    else if (strcmp(key, "initialcontact") == 0)
        c->initial_contact = (IkeTristate)word_index(value, tristate);
    else if (strcmp(key, "sha256trunc") == 0)
        c->sha256_truncation = strcmp(value, "yes") == 0;
    else if (strcmp(key, "offerplainpsk") == 0)
        c->offer_plain_psk = strcmp(value, "yes") == 0;
    else
        return false;
    return true;
}

static bool parse_number(PipeConfig *config, const char *key, const char *value)
{
    IkeConfig *c = &config->ike;
    uint32_t number = (uint32_t)strtoul(value, NULL, 10);

    if (strcmp(key, "seed") == 0)
        config->seed = number;
    else if (strcmp(key, "lifetime") == 0)
        c->phase1_lifetime = number;
    else if (strcmp(key, "p2lifetime") == 0)
        c->phase2_lifetime = number;
    else if (strcmp(key, "p2lifetimekb") == 0)
        c->phase2_lifetime_kb = number;
    else if (strcmp(key, "idport") == 0)
        c->id_port = (uint16_t)number;
    else if (strcmp(key, "dpd") == 0)
        c->dpd_interval = number;
    else
        return false;
    return true;
}

static bool parse_word(PipeConfig *config, const char *key, char *value)
{
    IkeConfig *c = &config->ike;

    if (strcmp(key, "psk") == 0)
        pipe_secret(value, &c->psk);
    else if (strcmp(key, "user") == 0)
        pipe_secret(value, &c->user);
    else if (strcmp(key, "password") == 0)
        pipe_secret(value, &c->password);
    else if (strcmp(key, "id") == 0)
        return parse_identity(value, &c->id);
    else if (strcmp(key, "remote") == 0)
        return parse_identity(value, &c->remote_id);
    else if (strcmp(key, "proposals") == 0)
        return parse_phase1(c, value);
    else if (strcmp(key, "p2") == 0)
        return parse_phase2(c, value);
    else if (strcmp(key, "networks") == 0)
        return parse_networks(c, value);
    else if (strcmp(key, "hardware") == 0)
        return pipe_hex(value, c->hardware, sizeof(c->hardware)) == sizeof(c->hardware);
    else if (strcmp(key, "address") == 0)
        return (c->address.family = 4) == 4 && parse_address(value, c->address.bytes);
    else
        return parse_choice(c, key, value) || parse_number(config, key, value) ||
               pipe_credential_word(config, key, value);
    return true;
}

const char *pipe_config_parse(PipeConfig *config, char *words)
{
    char *save = NULL;

    *config = (PipeConfig){.seed = 1};
    config->ike.gateway = (IkeAddress){.family = 4, .bytes = {192, 0, 2, 1}, .port = IKE_PORT};
    config->ike.local = (IkeAddress){.family = 4, .bytes = {198, 51, 100, 7}, .port = 40500};
    config->ike.phase1_lifetime = 28800;
    config->ike.phase2_lifetime = 3600;
    for (char *word = strtok_r(words, " ", &save); word != NULL;
         word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        if (value == NULL)
            return word;
        *value++ = '\0';
        if (!parse_word(config, word, value))
            return word;
    }
    return NULL;
}
