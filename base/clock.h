// base/clock.h: how late it is.
#pragma once

double wx_seconds(void); // of the monotonic clock
