// What Linux offers only as macros or outside the Glibc module. No logic.
#ifndef CFETCHLINUX_H
#define CFETCHLINUX_H
#include <sys/epoll.h>
#endif
