// Instructions that no Go code contains: one that is undefined, one that is privileged.
#include "textflag.h"

TEXT ·ud2(SB), NOSPLIT, $0-0
	BYTE $0x0f; BYTE $0x0b
	RET

TEXT ·hlt(SB), NOSPLIT, $0-0
	BYTE $0xf4
	RET
