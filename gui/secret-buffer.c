/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One piece of locked memory of a fixed size, which is never moved, so that no copy of a secret is
 * left behind where it grew. What would not fit is not taken.
 */
#include "gui/secret-buffer.h"

#include <string.h>

#include "platform/secret-memory.h"

enum { BYTES_MAX = 4000 };

struct _DialtoneSecretBuffer {
    GtkEntryBuffer parent_instance;
    char *text; /* with a NUL */
    gsize n;
    guint characters;
};

G_DEFINE_TYPE(DialtoneSecretBuffer, dialtone_secret_buffer, GTK_TYPE_ENTRY_BUFFER)

static const char *get_text(GtkEntryBuffer *buffer, gsize *n)
{
    DialtoneSecretBuffer *self = DIALTONE_SECRET_BUFFER(buffer);
    if (n != NULL)
        *n = self->n;
    return self->text != NULL ? self->text : "";
}

static guint get_length(GtkEntryBuffer *buffer)
{
    return DIALTONE_SECRET_BUFFER(buffer)->characters;
}

static guint insert_text(GtkEntryBuffer *buffer, guint position, const char *chars, guint n_chars)
{
    DialtoneSecretBuffer *self = DIALTONE_SECRET_BUFFER(buffer);
    gsize n = (gsize)(g_utf8_offset_to_pointer(chars, n_chars) - chars);
    if (self->text == NULL || n > BYTES_MAX - self->n)
        return 0;
    position = MIN(position, self->characters);
    char *at = g_utf8_offset_to_pointer(self->text, position);
    memmove(at + n, at, self->n - (gsize)(at - self->text) + 1);
    memcpy(at, chars, n);
    self->n += n;
    self->characters += n_chars;
    gtk_entry_buffer_emit_inserted_text(buffer, position, chars, n_chars);
    return n_chars;
}

static guint delete_text(GtkEntryBuffer *buffer, guint position, guint n_chars)
{
    DialtoneSecretBuffer *self = DIALTONE_SECRET_BUFFER(buffer);
    position = MIN(position, self->characters);
    n_chars = MIN(n_chars, self->characters - position);
    if (self->text == NULL || n_chars == 0)
        return 0;
    char *from = g_utf8_offset_to_pointer(self->text, position);
    const char *to = g_utf8_offset_to_pointer(from, n_chars);
    gsize n = (gsize)(to - from), rest = self->n - (gsize)(to - self->text);
    memmove(from, to, rest);
    platform_secret_wipe(from + rest, n);
    self->n -= n;
    self->characters -= n_chars;
    gtk_entry_buffer_emit_deleted_text(buffer, position, n_chars);
    return n_chars;
}

static void dialtone_secret_buffer_finalize(GObject *object)
{
    DialtoneSecretBuffer *self = DIALTONE_SECRET_BUFFER(object);
    self->text = platform_secret_free(self->text);
    G_OBJECT_CLASS(dialtone_secret_buffer_parent_class)->finalize(object);
}

static void dialtone_secret_buffer_class_init(DialtoneSecretBufferClass *class)
{
    GtkEntryBufferClass *buffer_class = GTK_ENTRY_BUFFER_CLASS(class);
    G_OBJECT_CLASS(class)->finalize = dialtone_secret_buffer_finalize;
    buffer_class->get_text = get_text;
    buffer_class->get_length = get_length;
    buffer_class->insert_text = insert_text;
    buffer_class->delete_text = delete_text;
}

static void dialtone_secret_buffer_init(DialtoneSecretBuffer *self)
{
    self->text = platform_secret_alloc(BYTES_MAX + 1);
}

GtkEntryBuffer *dialtone_secret_buffer_new(void)
{
    return g_object_new(DIALTONE_TYPE_SECRET_BUFFER, NULL);
}
