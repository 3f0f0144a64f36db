#include "CLinux.h"
#include "result.h"

#include <fcntl.h>
#include <string.h>

_Static_assert(SLX_HANDLE_BYTES == MAX_HANDLE_SZ, "the kernel's longest file handle");

union handle {
    struct file_handle header;
    char room[sizeof(struct file_handle) + SLX_HANDLE_BYTES];
};

int32_t slx_name_to_handle(int32_t fd, void *bytes, uint32_t *length, int32_t *type) {
    union handle raw = {.header = {.handle_bytes = SLX_HANDLE_BYTES}};
    int mount = 0;
    if (name_to_handle_at(fd, "", &raw.header, &mount, AT_EMPTY_PATH) < 0) return -errno;
    memcpy(bytes, raw.header.f_handle, raw.header.handle_bytes);
    *length = raw.header.handle_bytes;
    *type = raw.header.handle_type;
    return 0;
}
