// The threads that serve requests.
#pragma once

#include <stdint.h>

struct fuse_session;

/// Answers INIT, the first request of a connection, on the device itself. 0, or an errno.
int serve_init(struct fuse_session *session, int device);
/// Serves requests on clones of the device, by as many threads as there are processors, until it is unmounted. 0, or an
/// errno.
int serve_requests(struct fuse_session *session, int device);
