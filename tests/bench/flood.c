/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small packets, as many as the machine gives: sends UDP datagrams of given sizes in turn, a packet
 * each (no UDP_SEGMENT), 64 by a system call, or counts those that arrive.
 *
 * usage: flood send ADDRESS PORT SECONDS SIZE...     prints {"sent": N}
 *        flood count PORT                            until SIGTERM; prints {"packets": N, "bytes":
 * N}
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

enum { BATCH = 64, SIZE_MAX_UDP = 1472, BUFFER = 16 << 20 };

static volatile sig_atomic_t ended;

static void on_end(int number)
{
    (void)number;
    ended = 1;
}

static void die(const char *what)
{
    fprintf(stderr, "flood: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int send_flood(char **argv, int sizes_n)
{
    static uint8_t payload[SIZE_MAX_UDP];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[3]))};
    double end = now() + atof(argv[4]);
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    uintmax_t sent = 0, at = 0;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    if (inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die(argv[2]);
    while (now() < end) {
        for (int i = 0; i < BATCH; i++, at++) {
            long size = atol(argv[5 + (int)(at % (uintmax_t)sizes_n)]);

            parts[i] = (struct iovec){payload, size <= SIZE_MAX_UDP ? (size_t)size : SIZE_MAX_UDP};
            messages[i].msg_hdr.msg_iov = &parts[i];
            messages[i].msg_hdr.msg_iovlen = 1;
        }
        int n = sendmmsg(fd, messages, BATCH, 0);

        sent += n > 0 ? (uintmax_t)n : 0; /* a full queue is no end */
    }
    printf("{\"sent\": %ju}\n", sent);
    return 0;
}

static int count_flood(char **argv)
{
    static uint8_t room[BATCH][SIZE_MAX_UDP];
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2]))};
    struct timeval wait = {.tv_usec = 100000};
    struct mmsghdr messages[BATCH] = {0};
    struct iovec parts[BATCH];
    uintmax_t packets = 0, bytes = 0;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    signal(SIGTERM, on_end);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){BUFFER}, sizeof(int));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
        bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0)
        die(argv[2]);
    printf("ready\n");
    fflush(stdout);
    for (int i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){room[i], sizeof(room[i])};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (!ended) {
        int n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);

        for (int i = 0; i < n; i++)
            bytes += messages[i].msg_len;
        packets += n > 0 ? (uintmax_t)n : 0;
    }
    printf("{\"packets\": %ju, \"bytes\": %ju}\n", packets, bytes);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 5 && strcmp(argv[1], "send") == 0)
        return send_flood(argv, argc - 5);
    if (argc == 3 && strcmp(argv[1], "count") == 0)
        return count_flood(argv);
    fprintf(stderr, "usage: flood send ADDRESS PORT SECONDS SIZE... | flood count PORT\n");
    return 2;
}
