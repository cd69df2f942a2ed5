// All that a program needs: #include <boot/boot.h>, define main_main.
#pragma once

#include "boot/blocking.h"
#include "boot/chan.h"
#include "boot/debug.h"
#include "boot/go.h"
#include "boot/iface.h"
#include "boot/mem.h"
#include "boot/os.h"
#include "boot/panic.h"
#include "boot/print.h"
#include "boot/runtime.h"
#include "boot/select.h"
#include "boot/signal.h"
#include "boot/sync.h"
#include "boot/time.h"

// The program's first function; it runs on the main goroutine, and the program ends when it returns. A debugger finds it
// under Go's name, main.main.
void main_main() __asm__("main.main");
