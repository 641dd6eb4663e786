/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for a tunnel where only its slot matters: takes one, says its number, prints the
 * names of the signals that reach it, and ends at SIGTERM, or only some seconds later.
 *
 * usage: slot-holder LABEL STATE-JSON [SECONDS-TO-END]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/slot.h"

static PlatformSlot *take(const char *label, const char *json)
{
    PlatformSlot *slot = NULL;
    int state = -1;

    if (platform_slot_claim(NULL, 0, &slot) < 0)
        return NULL;
    PlatformSlotInfo *info = platform_slot_info(slot);
    g_strlcpy(info->label, label, sizeof info->label);
    if (platform_slot_open_state(slot, getuid(), getgid(), &state) < 0 ||
        platform_slot_write_state(state, json) < 0 || platform_slot_publish(slot) < 0)
        return NULL;
    close(state);
    return slot;
}

int main(int argc, char **argv)
{
    sigset_t signals;
    int number = 0;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    PlatformSlot *slot = argc >= 3 ? take(argv[1], argv[2]) : NULL;
    if (slot == NULL)
        return 1;
    printf("slot %u\n", platform_slot_info(slot)->number);
    fflush(stdout);
    while (number != SIGTERM) {
        sigwait(&signals, &number);
        printf("%s\n", number == SIGTERM ? "SIGTERM" : "SIGHUP");
        fflush(stdout);
    }
    if (argc > 3)
        sleep((unsigned)atoi(argv[3]));
    platform_slot_release(slot);
    return 0;
}
