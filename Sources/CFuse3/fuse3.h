// The one place that fixes the libfuse API level and includes libfuse's header.
#pragma once
#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
