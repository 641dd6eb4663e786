/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The surroundings of a data path under test. */
#undef NDEBUG
#include "datapath-kit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 2000 };

static int udp_socket(IkeAddress *at)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    assert(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    assert(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){4 << 20}, sizeof(int)) == 0);
    assert(getsockname(fd, (struct sockaddr *)&address, &n) == 0);
    *at = (IkeAddress){.family = 4, .port = ntohs(address.sin_port)};
    memcpy(at->bytes, &address.sin_addr, 4);
    return fd;
}

void kit_start(Kit *kit)
{
    kit_start_without(kit, 0);
}

void kit_start_without(Kit *kit, unsigned offloads)
{
    int pair[2], udp;

    memset(kit, 0, sizeof(*kit));
    kit->gateway = udp_socket(&kit->gateway_at);
    kit->elsewhere = udp_socket(&kit->elsewhere_at);
    udp = udp_socket(&kit->path_at);
    assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    kit->tun = pair[0];
    kit->tun_inside = pair[1];
    kit->path = datapath_new(
        &(DatapathSetup){
            .udp4 = udp, .udp6 = -1, .ike_port = kit->elsewhere_at.port, .without = offloads},
        NULL);
    assert(kit->path != NULL);
    datapath_set_peer(kit->path, &kit->gateway_at, KIT_MTU);
}

void kit_attach_tun(Kit *kit)
{
    datapath_attach_tun(kit->path, kit->tun_inside, false);
    kit->tun_inside = -1;
}

void kit_stop(Kit *kit)
{
    kit->path = datapath_free(kit->path);
    close(kit->tun);
    if (kit->tun_inside >= 0)
        close(kit->tun_inside);
    close(kit->gateway);
    close(kit->elsewhere);
}

IkeNetwork kit_network(const char *text)
{
    IkeNetwork network = {.family = 4};
    unsigned prefix;
    char address[32];

    assert(sscanf(text, "%31[0-9.]/%u", address, &prefix) == 2);
    assert(inet_pton(AF_INET, address, network.bytes) == 1);
    network.prefix = (uint8_t)prefix;
    return network;
}

static EspSa *make(int (*new_sa)(EspSa **, const EspParameters *), uint32_t spi)
{
    uint8_t keymat[ESP_KEYMAT_MAX];
    EspParameters parameters = {
        .spi = spi, .cipher = ike_cipher_by_name("aes128gcm16"), .keymat = keymat};
    EspSa *sa = NULL;
    int made;

    memset(keymat, (int)(spi & 255), sizeof(keymat));
    made = new_sa(&sa, &parameters);
    assert(made == 0);
    return sa;
}

void kit_pair(KitPair *pair, unsigned number, const char *local, const char *remote)
{
    uint32_t in = KIT_SPI_IN + number, out = KIT_SPI_OUT + number;

    *pair = (KitPair){.info = {.spi_in = in, .spi_out = out},
                      .in = make(esp_open_new, in),
                      .out = make(esp_seal_new, out),
                      .gateway_seal = make(esp_seal_new, in),
                      .gateway_open = make(esp_open_new, out)};
    pair->info.local = kit_network(local);
    pair->info.remote = kit_network(remote);
}

void kit_pair_clear(KitPair *pair)
{
    esp_sa_free(pair->in);
    esp_sa_free(pair->out);
    esp_sa_free(pair->gateway_seal);
    esp_sa_free(pair->gateway_open);
    memset(pair, 0, sizeof(*pair));
}

void kit_use(Kit *kit, KitPair *pair)
{
    datapath_add_in(kit->path, pair->in, &pair->info);
    datapath_set_out(kit->path, pair->out, &pair->info);
    pair->in = pair->out = NULL;
}

void kit_packet(uint8_t *packet, size_t n, const char *from, const char *to)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        packet[i] = i < 20 ? 0 : (uint8_t)(i * 7);
    packet[0] = 0x45;
    packet[2] = (uint8_t)(n >> 8);
    packet[3] = (uint8_t)n;
    packet[6] = 0x40;
    packet[8] = 64;
    packet[9] = 17;
    assert(inet_pton(AF_INET, from, packet + 12) == 1);
    assert(inet_pton(AF_INET, to, packet + 16) == 1);
    for (size_t i = 0; i < 20; i += 2)
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    packet[10] = (uint8_t)(~sum >> 8);
    packet[11] = (uint8_t)~sum;
}

static void to_sockaddr(const IkeAddress *address, struct sockaddr_in *to)
{
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(address->port)};
    memcpy(&to->sin_addr, address->bytes, 4);
}

void kit_send_raw(Kit *kit, int fd, const void *bytes, size_t n)
{
    struct sockaddr_in to;
    ssize_t sent;

    to_sockaddr(&kit->path_at, &to);
    sent = sendto(fd, bytes, n, 0, (struct sockaddr *)&to, sizeof(to));
    assert(sent == (ssize_t)n);
}

void kit_gateway_sends(Kit *kit, KitPair *pair, int fd, const uint8_t *inner, size_t n)
{
    uint8_t room[KIT_ROOM];
    EspPacket one = {.data = room + ESP_HEAD_ROOM, .n = n};
    size_t sealed;

    memcpy(one.data, inner, n);
    sealed = esp_seal(pair->gateway_seal, &one, 1);
    assert(sealed == 1);
    kit_send_raw(kit, fd, one.data, one.n);
}

size_t kit_get(int fd, uint8_t *bytes, size_t room)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    ssize_t n;

    if (poll(&one, 1, PATIENCE_MS) != 1)
        return 0;
    n = recv(fd, bytes, room, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

bool kit_silent(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};

    return poll(&one, 1, 0) == 0;
}

size_t kit_gateway_gets(Kit *kit, KitPair *pair, uint8_t *inner)
{
    uint8_t room[KIT_ROOM];
    EspPacket one = {.data = room};

    one.n = kit_get(kit->gateway, room, sizeof(room));
    if (one.n == 0 || esp_open(pair->gateway_open, &one, 1) != 1)
        return 0;
    memcpy(inner, one.data, one.n);
    return one.n;
}

DatapathStats kit_stats(Kit *kit)
{
    DatapathStats stats;

    datapath_stats(kit->path, &stats);
    return stats;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

bool kit_dropped(Kit *kit, DatapathDrop drop, uint64_t n)
{
    for (int i = 0; i < PATIENCE_MS && kit_stats(kit).drops[drop] < n; i++)
        nap();
    return kit_stats(kit).drops[drop] == n;
}

bool kit_event(Kit *kit, DatapathEventType type, DatapathEvent *event)
{
    struct pollfd one = {.fd = datapath_event_fd(kit->path), .events = POLLIN};

    while (poll(&one, 1, PATIENCE_MS) == 1)
        while (datapath_next_event(kit->path, event))
            if (event->type == type)
                return true;
    return false;
}
