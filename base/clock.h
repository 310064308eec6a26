// base/clock.h: how late it is, and how much was done.
#pragma once

double wx_seconds(void);        // of the monotonic clock
double wx_thread_seconds(void); // of processor time of the calling thread
