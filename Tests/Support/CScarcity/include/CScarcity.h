#pragma once

// For a program of its own: has calls fail that hardly ever do. What is defined here takes the place of the C
// library's functions in every part of the program.

/// So many threads more may be started, then EAGAIN; below 0: as many as there are.
void scarce_threads(int count);

/// From now on unshare(2) fails with EPERM, as in a sandbox; or does what it does.
void scarce_unshare(int fails);
