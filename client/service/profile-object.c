/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What everybody sees of a profile is its name and whose it is; its text is for who may use it. */
#include "client/service/profile-object.h"

#include <string.h>

#include "client/profile/parse.h"

ServiceProfile *service_profile_new(const char *path, DialtoneProfile *profile_take,
                                    DialtoneLayer layer, uid_t owner, const char *file)
{
    ServiceProfile *self = g_new0(ServiceProfile, 1);
    *self = (ServiceProfile){.path = g_strdup(path),
                             .file = g_strdup(file),
                             .text = dialtone_profile_to_text(profile_take, true),
                             .profile = profile_take,
                             .layer = layer,
                             .owner = owner,
                             .skeleton = dialtone_bus_profile_skeleton_new(),
                             .object = dialtone_bus_object_skeleton_new(path)};
    const char *uuid = profile_take->uuid != NULL ? profile_take->uuid : "";
    dialtone_bus_profile_set_uuid(self->skeleton, uuid);
    dialtone_bus_profile_set_name(self->skeleton, profile_take->name);
    dialtone_bus_profile_set_layer(self->skeleton, dialtone_layer_name(layer));
    dialtone_bus_profile_set_owner(self->skeleton, owner);
    dialtone_bus_profile_set_connection(self->skeleton, "/");
    dialtone_bus_profile_set_rule(self->skeleton, "");
    dialtone_bus_object_skeleton_set_profile(self->object, self->skeleton);
    return self;
}

void service_profile_free(ServiceProfile *self)
{
    if (self == NULL)
        return;
    g_clear_handle_id(&self->retry, g_source_remove);
    g_object_unref(self->object);
    g_object_unref(self->skeleton);
    dialtone_profile_free(self->profile);
    g_free(self->text);
    g_free(self->file);
    g_free(self->path);
    g_free(self);
}

bool service_profile_is_system(const ServiceProfile *self)
{
    return self->layer != DIALTONE_LAYER_USER;
}

bool service_profile_names_users(const ServiceProfile *self)
{
    return service_profile_is_system(self) &&
           (self->profile->users->len > 0 || self->profile->groups->len > 0);
}

bool service_profile_clashes(const ServiceProfile *self, const DialtoneProfile *other)
{
    return strcmp(self->profile->name, other->name) == 0 ||
           (other->uuid != NULL && g_strcmp0(self->profile->uuid, other->uuid) == 0);
}

void service_profile_set_connection(ServiceProfile *self, const char *path)
{
    dialtone_bus_profile_set_connection(self->skeleton, path != NULL ? path : "/");
}
