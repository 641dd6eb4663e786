/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is given up before there is a connection is ended when that comes, and a trial that begins
 * while another ends waits for that. The service is played here: its objects are skeletons, and a
 * call to it is answered when a test says so.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "client/common/failure.h"
#include "gui/catalog.h"
#include "gui/item.h"
#include "gui/state-look.h"
#include "gui/trial.h"

enum { CALLS_MAX = 8 };

typedef struct Call {
    const char *method;
    GAsyncReadyCallback done;
    gpointer data;
} Call;

static Call calls[CALLS_MAX];
static guint called, answered;
static GError *answer_error; /* what the next call is answered with; NULL */

/* ---- what the item and the trial call ---- */

void dialtone_service_client_call(GDBusProxy *object, const char *method, GVariant *parameters,
                                  GAsyncReadyCallback done, gpointer data)
{
    assert_true(called < CALLS_MAX);
    calls[called++] = (Call){method, done, data};
    if (parameters != NULL)
        g_variant_unref(g_variant_ref_sink(parameters));
}

GVariant *dialtone_service_client_call_finish(GObject *source, GAsyncResult *result, GError **error)
{
    if (answer_error == NULL)
        return g_variant_ref_sink(g_variant_new("()"));
    g_propagate_error(error, g_steal_pointer(&answer_error));
    return NULL;
}

void dialtone_catalog_connect_item(DialtoneCatalog *self, DialtoneItem *item, gboolean take_over)
{
    dialtone_item_connect(item, (DialtoneBusManager *)self, take_over);
}

void dialtone_catalog_disconnect_item(DialtoneCatalog *self, DialtoneItem *item)
{
    dialtone_item_disconnect(item);
}

char *dialtone_look_sentence(DialtoneItem *item)
{
    return g_strdup("");
}

/* ---- the service ---- */

static DialtoneBusProfile *profile;
static DialtoneBusConnection *connection;
static DialtoneItem *item;

static int set_up(void **state)
{
    called = answered = 0;
    profile = dialtone_bus_profile_skeleton_new();
    connection = dialtone_bus_connection_skeleton_new();
    dialtone_bus_connection_set_owner(connection, (guint)getuid());
    dialtone_bus_connection_set_state(connection, "connected");
    item = dialtone_item_new("key", "Office");
    dialtone_item_set_objects(item, profile, NULL);
    return 0;
}

static int tear_down(void **state)
{
    g_clear_object(&item);
    g_clear_object(&connection);
    g_clear_object(&profile);
    return 0;
}

static void answer(void)
{
    assert_true(answered < called);
    const Call *call = &calls[answered++];
    call->done(NULL, NULL, call->data);
}

static void connection_comes(void)
{
    dialtone_item_set_objects(item, profile, connection);
}

static void assert_called(guint n, const char *last)
{
    assert_int_equal(called, n);
    assert_string_equal(calls[n - 1].method, last);
}

static void wish(void)
{
    dialtone_item_connect(item, (DialtoneBusManager *)profile, FALSE);
    assert_called(1, "Connect");
}

/* ---- given up early ---- */

static void given_up_it_ends_when_it_was_answered_last(void **state)
{
    wish();
    dialtone_item_disconnect(item);
    assert_int_equal(dialtone_item_get_state(item), DIALTONE_STATE_DISCONNECTING);
    assert_int_equal(called, 1);
    connection_comes();
    assert_int_equal(called, 1);
    answer();
    assert_called(2, "Disconnect");
    answer();
    assert_int_equal(called, 2);
}

static void given_up_it_ends_when_it_was_answered_first(void **state)
{
    wish();
    dialtone_item_disconnect(item);
    answer();
    assert_int_equal(called, 1);
    connection_comes();
    assert_called(2, "Disconnect");
    answer();
}

static void wanted_again_it_stays(void **state)
{
    wish();
    dialtone_item_disconnect(item);
    answer();
    dialtone_item_connect(item, (DialtoneBusManager *)profile, FALSE);
    assert_called(2, "Connect");
    answer();
    connection_comes();
    assert_int_equal(called, 2);
}

static void what_failed_is_not_waited_for(void **state)
{
    wish();
    dialtone_item_disconnect(item);
    dialtone_failure_set(&answer_error, DIALTONE_FAILURE_INTERNAL, NULL, "no");
    answer();
    connection_comes();
    assert_int_equal(called, 1);
}

/* ---- trials ---- */

static void a_second_trial_waits_for_the_end_of_the_first(void **state)
{
    DialtoneCatalog *catalog = (DialtoneCatalog *)profile;
    DialtoneTrial *first = dialtone_trial_new(catalog, item);
    assert_called(1, "Connect");
    connection_comes();
    answer();
    assert_int_equal(dialtone_trial_get_state(first), DIALTONE_TRIAL_GOOD);
    assert_called(2, "Disconnect");
    g_object_unref(first);
    DialtoneTrial *second = dialtone_trial_new(catalog, item);
    assert_int_equal(called, 2);
    dialtone_item_set_objects(item, profile, NULL);
    answer();
    assert_called(3, "Connect");
    connection_comes();
    answer();
    assert_int_equal(dialtone_trial_get_state(second), DIALTONE_TRIAL_GOOD);
    assert_called(4, "Disconnect");
    answer();
    g_object_unref(second);
    assert_int_equal(called, 4);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(given_up_it_ends_when_it_was_answered_last),
        TEST(given_up_it_ends_when_it_was_answered_first),
        TEST(wanted_again_it_stays),
        TEST(what_failed_is_not_waited_for),
        TEST(a_second_trial_waits_for_the_end_of_the_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
