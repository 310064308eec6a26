// runtime/tag.c: tags, which tell what an exception is. Only which one it is counts, and its type.
//
// in: a module's declarations, or a type from the host; out: tags of an instance, or of the host, to be imported
#include <stdlib.h>

#include "runtime/internal.h"

// ---- The host's

typedef struct standalone {
    wasmx_tag tag;
    wx_signature signature;
} standalone;

wasmx_tag *wasmx_tag_new(const char *type) {
    standalone *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    if (!wx_signature_read(&s->signature, type)) {
        free(s);
        return NULL;
    }
    if (s->signature.results) {
        wasmx_tag_free(&s->tag);
        return NULL;
    }
    s->tag.type = (wxrt_type){.param_count = s->signature.params, .kinds = s->signature.kinds};
    return &s->tag;
}

void wasmx_tag_free(wasmx_tag *tag) {
    if (!tag) return;
    free(((standalone *)tag)->signature.kinds);
    free((standalone *)tag);
}

// ---- An instance's: one place a tag, then the records of its own

bool wx_tags_make(wasmx_instance *i) {
    const wasmx_module *m = i->module;
    if (!m->tag_count) return true;
    i->state->tags = calloc(m->tag_count, sizeof *i->state->tags + sizeof **i->state->tags);
    if (!i->state->tags) return false;
    wasmx_tag *own = (wasmx_tag *)(i->state->tags + m->tag_count);
    for (uint32_t k = 0; k < m->tag_count; k++, own++) {
        if (m->tags[k].import) continue;
        own->type = m->types[m->tags[k].type];
        i->state->tags[k] = own;
    }
    return true;
}

bool wx_tag_fits(const wasmx_tag *tag, const wxrt_type *type) {
    if (tag->type.id) return *tag->type.id == *type->id;
    wx_signature given = {.params = tag->type.param_count, .kinds = (uint32_t *)(uintptr_t)tag->type.kinds};
    return wx_signature_is(&given, type);
}
