// BOOTSTEP for assembly: the same record as runtime/base/bootstep.h makes, before a g exists.
//
// Clobbers rax, rcx, rdx, r8 and flags. val0..val1 are registers (not one of the clobbered) or absent.
// Only one thread runs when these stand, so the count is a plain increment.

// The file including this defines BOOTSTEP_FILE. The C preprocessor puts the line of the use in.
#define BOOTSTEP BOOTSTEP_ __LINE__,
// Constants that are addresses; a program that can be loaded anywhere has them written by its entry.
#ifdef BOOT_PIE
#define BOOT_DESCS    .data.rel.ro.bootdesc, "aw", @progbits
#define BOOT_ASMSTEPS boot_asmsteps, "aw", @progbits
#else
#define BOOT_DESCS    .rodata.bootdesc, "a", @progbits
#define BOOT_ASMSTEPS boot_asmsteps, "a", @progbits
#endif

.macro BOOTSTEP_ line:req, name:req, fields, val0, val1, val2
	.pushsection BOOT_DESCS
	.balign 8
.Lbootdesc\@:
	.quad .Lbootname\@, .Lbootfile\@, \line, .Lbootfields\@
	.popsection
	.pushsection .rodata.bootstr, "aMS", @progbits, 1
.Lbootname\@: .asciz "\name"
.Lbootfields\@: .asciz "\fields"
.Lbootfile\@: .asciz BOOTSTEP_FILE
	.popsection
	movl	runtime.nbootrecs(%rip), %eax
	cmpl	$const_kBootRecs, %eax
	jae	.Lbootfull\@
	imulq	$bootrec__size, %rax, %rax
	leaq	runtime.bootrecs(%rip), %r8
	addq	%rax, %r8
	lfence
	rdtsc
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, bootrec_tsc(%r8)
	leaq	.Lbootdesc\@(%rip), %rax
	movq	%rax, bootrec_desc(%r8)
	movl	$-1, bootrec_mid(%r8)
	movl	$-1, bootrec_pid(%r8)
	movl	$1, bootrec_tid(%r8)
	.ifnb \val0
	movq	\val0, bootrec_val(%r8)
	.endif
	.ifnb \val1
	movq	\val1, bootrec_val+8(%r8)
	.endif
	.ifnb \val2
	movq	\val2, bootrec_val+16(%r8)
	.endif
.Lbootfull\@:
	incl	runtime.nbootrecs(%rip)
	// For debuggers, which stop here: the record is made.
.Lbootdone\@:
	.pushsection BOOT_ASMSTEPS
	.balign 8
	.quad .Lbootdone\@, .Lbootdesc\@
	.popsection
	.endm
