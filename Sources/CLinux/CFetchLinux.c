#include "CFetchLinux.h"
