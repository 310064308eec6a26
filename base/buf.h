// base/buf.h: a byte buffer that grows, for everything that is written piece by piece.
//
// Starts as all zeros. Never fails (see arena.h on memory). Owned by whoever declared it, ended by wx_buf_free.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wx_error;

typedef struct wx_buf {
    uint8_t *data;
    size_t len, cap;
} wx_buf;

void wx_buf_free(wx_buf *b);
void wx_buf_reserve(wx_buf *b, size_t more); // room for so many bytes without another growth; they cost when written
void wx_buf_add(wx_buf *b, const void *data, size_t len);
void wx_buf_byte(wx_buf *b, uint8_t byte);
void wx_buf_str(wx_buf *b, const char *s); // without the NUL
void wx_buf_printf(wx_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void wx_buf_u32le(wx_buf *b, uint32_t v);
void wx_buf_u64le(wx_buf *b, uint64_t v);
void wx_buf_uleb(wx_buf *b, uint64_t v); // unsigned LEB128, shortest form
void wx_buf_sleb(wx_buf *b, int64_t v);  // signed LEB128, shortest form
// A JSON string literal with its quotes.
void wx_buf_json(wx_buf *b, const char *s, size_t len);

// Reads a whole file ("-" is standard input); *b is replaced. False with *e set (WX_ERR_IO) when it cannot.
bool wx_file_read(wx_buf *b, const char *path, struct wx_error *e);
// Writes a whole file or nothing: a temporary name beside it, then rename. "-" is standard output.
bool wx_file_write(const char *path, const void *data, size_t len, struct wx_error *e);
// Adds what an open descriptor still has to read; false with errno set.
bool wx_fd_read(wx_buf *b, int fd);
// Writes everything to an open descriptor; false with errno set.
bool wx_fd_write(int fd, const void *data, size_t len);
// Only regular files can be replaced by rename: standard output ("-") and devices such as /dev/null are written to.
bool wx_path_is_special(const char *path);
