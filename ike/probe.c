/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes: the first message of aggressive mode as a question, the second as its answer.
 *
 * Nobody has proven anything when the second message comes, so the answer is hearsay that whoever
 * forges it can make say anything; it serves to advise a person, and never a session. Its HASH_R
 * is not looked at: a probe knows no preshared key.
 */
#include "ike/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/crypto.h"
#include "ike/dh.h"
#include "ike/natt.h"
#include "ike/payload-id.h"
#include "ike/payload-notify.h"
#include "ike/vendor.h"

enum { NONCE_SIZE = 32, SA_BODY_MAX = 1024, GENERIC_HEADER = 4 };

struct IkeProbe {
    IkePhase1Proposal proposals[IKE_PROBE_PROPOSALS_MAX];
    uint16_t method;
    IkePhase1Offer offer;
    uint8_t cookie[IKE_COOKIE_SIZE];
    uint8_t message[IKE_MESSAGE_MAX];
    size_t n;
};

/* ---- the question ---- */

/* RFC 2408, 3.16: an unknown vendor ID is passed over, so one of them makes up the size. */
static void fill_up(IkeBuilder *builder, size_t size)
{
    static const uint8_t nothing[IKE_MESSAGE_MAX] = {0};
    size_t n = builder->writer.n + GENERIC_HEADER;

    if (size > n && size - n <= sizeof(nothing))
        ike_builder_add(builder, IKE_PAYLOAD_VENDOR, (IkeSlice){nothing, size - n});
}

static bool write_message(IkeProbe *probe, const IkeProbeQuestion *question, const IkeDh *dh,
                          const uint8_t *nonce)
{
    uint8_t sa_body[SA_BODY_MAX], id_body[IKE_ID_HEADER_SIZE + IKE_ID_MAX];
    IkeWriter sa = ike_writer(sa_body, sizeof(sa_body)), id = ike_writer(id_body, sizeof(id_body));
    IkeHeader header = {.version = IKE_VERSION, .exchange = IKE_EXCHANGE_AGGRESSIVE};
    IkeBuilder builder;

    ike_phase1_offer_write(&sa, &probe->offer);
    ike_id_write(&id, &question->id, question->id_port != 0 ? 17 : 0, question->id_port);
    memcpy(header.cookie_i, probe->cookie, sizeof(header.cookie_i));
    ike_builder_begin(&builder, probe->message, sizeof(probe->message), &header);
    ike_builder_add(&builder, IKE_PAYLOAD_SA, ike_writer_slice(&sa, 0));
    ike_builder_add(&builder, IKE_PAYLOAD_KE, ike_dh_public(dh));
    ike_builder_add(&builder, IKE_PAYLOAD_NONCE, (IkeSlice){nonce, NONCE_SIZE});
    ike_builder_add(&builder, IKE_PAYLOAD_ID, ike_writer_slice(&id, 0));
    ike_vendor_add(&builder,
                   IKE_VENDOR_XAUTH | IKE_VENDOR_DPD | IKE_VENDOR_UNITY | IKE_VENDORS_NATT);
    fill_up(&builder, question->size);
    ike_builder_end(&builder);
    probe->n = builder.writer.n;
    return ike_writer_ok(&sa) && ike_writer_ok(&id) && ike_writer_ok(&builder.writer);
}

static int ask(IkeProbe *probe, const IkeProbeQuestion *question, IkeRandomFn random, void *context)
{
    uint8_t nonce[NONCE_SIZE];
    IkeDh *dh = NULL;
    int r = random(context, probe->cookie, sizeof(probe->cookie));

    if (r == 0)
        r = random(context, nonce, sizeof(nonce));
    if (r == 0)
        r = ike_dh_new(&dh, probe->offer.group);
    if (r == 0 && !write_message(probe, question, dh, nonce))
        r = -EMSGSIZE;
    /* The private value is of no use: no key is ever derived. */
    ike_dh_free(dh);
    return r;
}

int ike_probe_new(IkeProbe **probep, const IkeProbeQuestion *question, IkeRandomFn random,
                  void *context)
{
    if (question->n == 0 || question->n > IKE_PROBE_PROPOSALS_MAX)
        return -EINVAL;
    IkeProbe *probe = calloc(1, sizeof(*probe));
    if (probe == NULL)
        return -ENOMEM;
    memcpy(probe->proposals, question->proposals, question->n * sizeof(*probe->proposals));
    probe->method = question->method;
    probe->offer = (IkePhase1Offer){.proposals = probe->proposals,
                                    .n = question->n,
                                    .group = probe->proposals[0].group,
                                    .methods = &probe->method,
                                    .methods_n = 1,
                                    .lifetime = question->lifetime};
    int r = ask(probe, question, random, context);
    if (r < 0) {
        ike_probe_free(probe);
        return r;
    }
    *probep = probe;
    return 0;
}

IkeProbe *ike_probe_free(IkeProbe *probe)
{
    free(probe);
    return NULL;
}

IkeSlice ike_probe_message(const IkeProbe *probe)
{
    return (IkeSlice){probe->message, probe->n};
}

/* ---- the answer ---- */

static unsigned vendors_of(const IkeMessage *message)
{
    unsigned vendors = 0;

    for (size_t i = 0; i < message->n; i++)
        if (message->payloads[i].type == IKE_PAYLOAD_VENDOR)
            vendors |= ike_vendor_recognise(message->payloads[i].body);
    return vendors;
}

/* RFC 3947, 3.2: the first NAT-D is the hash of our address as the gateway sees it. 1: it is what
 * we are; 0: it is another; negative: our fault. */
static int sees_us_as_we_are(const IkeMessage *message, IkePayloadType type, const IkeHash *hash,
                             const IkeAddress *local)
{
    const IkePayload *natd = ike_message_find(message, type);
    uint8_t ours[IKE_HASH_MAX];
    int r = ike_natt_hash(hash, (IkeSlice){message->header.cookie_i, IKE_COOKIE_SIZE},
                          (IkeSlice){message->header.cookie_r, IKE_COOKIE_SIZE}, local, ours);

    if (r < 0)
        return r;
    return natd->body.n == hash->size && memcmp(natd->body.bytes, ours, hash->size) == 0;
}

static int read_nat(const IkeMessage *message, const IkeAddress *local, IkeProbeAnswer *answer)
{
    const IkeNattDialect *dialect = ike_natt_dialect(answer->vendors);

    answer->natt = dialect != NULL;
    if (dialect == NULL || local->family == 0 || ike_message_count(message, dialect->natd) < 2)
        return 0;
    int same = sees_us_as_we_are(message, dialect->natd, answer->chosen.hash, local);
    if (same >= 0)
        answer->nat = same == 1 ? IKE_PROBE_NAT_NONE : IKE_PROBE_NAT_FOUND;
    return same < 0 ? same : 0;
}

static int read_acceptance(const IkeProbe *probe, const IkeMessage *message,
                           const IkeAddress *local, IkeProbeAnswer *answer)
{
    const IkePayload *sa = ike_message_find(message, IKE_PAYLOAD_SA);
    const IkePayload *id = ike_message_find(message, IKE_PAYLOAD_ID);
    IkePhase1Choice choice = {0};
    uint8_t protocol;
    uint16_t port;

    if (sa == NULL || ike_phase1_choice_read(sa->body, &probe->offer, &choice) != 0)
        return 0;
    if (id != NULL && !ike_id_read(id->body, &answer->gateway, &protocol, &port))
        answer->gateway = (IkeIdentity){.type = IKE_ID_ANY};
    answer->kind = IKE_PROBE_ACCEPTED;
    answer->chosen = choice.proposal;
    answer->vendors = vendors_of(message);
    return read_nat(message, local, answer);
}

static void read_refusal(const IkeMessage *message, IkeProbeAnswer *answer)
{
    const IkePayload *payload = ike_message_find(message, IKE_PAYLOAD_NOTIFY);
    IkeNotify notify;

    if (payload == NULL || !ike_notify_read(payload->body, &notify))
        return;
    answer->kind = IKE_PROBE_REFUSED;
    answer->notify = notify.type;
}

/* A gateway that encrypts has keys, and keys come only of proposals that it accepted. A message
 * about that in place of the second one is a refusal: it knows the ID, and has no key that goes
 * with the method (strongSwan without a private key of this kind). */
static void read_sealed(const IkeHeader *header, IkeProbeAnswer *answer)
{
    if (header->exchange != IKE_EXCHANGE_INFORMATIONAL)
        return;
    answer->kind = IKE_PROBE_REFUSED;
    answer->notify = IKE_NOTIFY_AUTHENTICATION_FAILED;
}

int ike_probe_read(const IkeProbe *probe, IkeSlice datagram, const IkeAddress *local,
                   IkeProbeAnswer *answer)
{
    IkeHeader header;
    IkeMessage message;

    *answer = (IkeProbeAnswer){.kind = IKE_PROBE_UNUSABLE};
    if (ike_header_read(datagram, &header) != 0 ||
        memcmp(header.cookie_i, probe->cookie, IKE_COOKIE_SIZE) != 0)
        return 0;
    if ((header.flags & IKE_FLAG_ENCRYPTION) != 0) {
        read_sealed(&header, answer);
        return 0;
    }
    const IkeSlice payloads = {datagram.bytes + IKE_HEADER_SIZE, datagram.n - IKE_HEADER_SIZE};
    if (ike_payloads_read(&header, payloads, &message) != 0)
        return 0;
    if (header.exchange == IKE_EXCHANGE_AGGRESSIVE)
        return read_acceptance(probe, &message, local, answer);
    if (header.exchange == IKE_EXCHANGE_INFORMATIONAL)
        read_refusal(&message, answer);
    return 0;
}
