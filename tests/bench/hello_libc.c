// hello over libc, linked statically: the start that other languages' programs compare with.
#include <unistd.h>

int main(void) { return write(1, "hello, world\n", 13) != 13; }
