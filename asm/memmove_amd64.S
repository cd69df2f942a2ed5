// memmove, memcpy, memset and runtime.memclrNoHeapPointers.
//
// Invariants
//   - Up to 256 bytes everything is loaded before anything is stored, so overlap does not matter there.
//   - Above that, a copy whose source begins below its destination and reaches into it runs from the end downwards, any
//     other one upwards. Either way the ends, which need not be aligned, are loaded before the loop and stored after it.
//   - No stack, no calls: these run on any stack, with any guard, in signal handlers too. From CHUNK_FROM on the C names
//     go to memchunk.cpp, which does the work in pieces, so that a goroutine can be stopped between two of them.
//
// Sizes and ways:
//      0..256      a tree of overlapping loads and stores: no loop, and mispredicted at most once or twice
//      256..       a loop over 128 bytes, with 32-byte registers where cpuinit found AVX, else with 16-byte ones
//      2 KB..      rep movsb / rep stosb where cpuinit found the processor to be good at it: microcode that writes whole
//                  lines without reading them first. Not for copies to less than 64 bytes below the source, where it is
//                  slow everywhere.
// Way not taken: stores past the cache for very large blocks. They win when the data is not used soon, and lose by more
// when it is.

#define REP_MIN	2048
#define CHUNK_FROM	(1 << 20)	/* kChunkFrom in memchunk.h */

	.macro FUNC name
	.globl "\name"
	.type "\name", @function
	.p2align 5
"\name":
	.endm
	.macro ENDFUNC name
	.size "\name", . - "\name"
	.endm

	.text

// memmove(dst in DI, src in SI, n in DX) → dst
#ifndef BOOT_HOSTED
FUNC memmove
FUNC memcpy
#endif
FUNC runtime.memmove
	.cfi_startproc
	movq	%rdi, %rax
.Lmove:
	cmpq	$16, %rdx
	jb	.Lmove_under16
	cmpq	$32, %rdx
	ja	.Lmove_over32
	movups	(%rsi), %xmm0
	movups	-16(%rsi,%rdx), %xmm1
	movups	%xmm0, (%rdi)
	movups	%xmm1, -16(%rdi,%rdx)
	ret

	.p2align 4
.Lmove_under16:
	cmpl	$8, %edx
	jae	1f
	cmpl	$4, %edx
	jae	2f
	cmpl	$1, %edx
	jb	3f
	movzbl	(%rsi), %ecx		// 1..3: first and last byte, and two in between that may be the same
	je	4f
	movzwl	-2(%rsi,%rdx), %r8d
	movw	%r8w, -2(%rdi,%rdx)
4:	movb	%cl, (%rdi)
3:	ret
	.p2align 4
1:	movq	(%rsi), %rcx
	movq	-8(%rsi,%rdx), %r8
	movq	%rcx, (%rdi)
	movq	%r8, -8(%rdi,%rdx)
	ret
	.p2align 4
2:	movl	(%rsi), %ecx
	movl	-4(%rsi,%rdx), %r8d
	movl	%ecx, (%rdi)
	movl	%r8d, -4(%rdi,%rdx)
	ret

	.p2align 4
.Lmove_over32:
	cmpq	$64, %rdx
	ja	.Lmove_over64
	movups	(%rsi), %xmm0
	movups	16(%rsi), %xmm1
	movups	-32(%rsi,%rdx), %xmm2
	movups	-16(%rsi,%rdx), %xmm3
	movups	%xmm0, (%rdi)
	movups	%xmm1, 16(%rdi)
	movups	%xmm2, -32(%rdi,%rdx)
	movups	%xmm3, -16(%rdi,%rdx)
	ret

	.p2align 4
.Lmove_over64:
	cmpq	$128, %rdx
	ja	.Lmove_over128
	movups	(%rsi), %xmm0
	movups	16(%rsi), %xmm1
	movups	32(%rsi), %xmm2
	movups	48(%rsi), %xmm3
	movups	-64(%rsi,%rdx), %xmm4
	movups	-48(%rsi,%rdx), %xmm5
	movups	-32(%rsi,%rdx), %xmm6
	movups	-16(%rsi,%rdx), %xmm7
	movups	%xmm0, (%rdi)
	movups	%xmm1, 16(%rdi)
	movups	%xmm2, 32(%rdi)
	movups	%xmm3, 48(%rdi)
	movups	%xmm4, -64(%rdi,%rdx)
	movups	%xmm5, -48(%rdi,%rdx)
	movups	%xmm6, -32(%rdi,%rdx)
	movups	%xmm7, -16(%rdi,%rdx)
	ret

	.p2align 4
.Lmove_over128:
	cmpq	$256, %rdx
	ja	.Lmove_large
	movups	(%rsi), %xmm0
	movups	16(%rsi), %xmm1
	movups	32(%rsi), %xmm2
	movups	48(%rsi), %xmm3
	movups	64(%rsi), %xmm4
	movups	80(%rsi), %xmm5
	movups	96(%rsi), %xmm6
	movups	112(%rsi), %xmm7
	movups	-128(%rsi,%rdx), %xmm8
	movups	-112(%rsi,%rdx), %xmm9
	movups	-96(%rsi,%rdx), %xmm10
	movups	-80(%rsi,%rdx), %xmm11
	movups	-64(%rsi,%rdx), %xmm12
	movups	-48(%rsi,%rdx), %xmm13
	movups	-32(%rsi,%rdx), %xmm14
	movups	-16(%rsi,%rdx), %xmm15
	movups	%xmm0, (%rdi)
	movups	%xmm1, 16(%rdi)
	movups	%xmm2, 32(%rdi)
	movups	%xmm3, 48(%rdi)
	movups	%xmm4, 64(%rdi)
	movups	%xmm5, 80(%rdi)
	movups	%xmm6, 96(%rdi)
	movups	%xmm7, 112(%rdi)
	movups	%xmm8, -128(%rdi,%rdx)
	movups	%xmm9, -112(%rdi,%rdx)
	movups	%xmm10, -96(%rdi,%rdx)
	movups	%xmm11, -80(%rdi,%rdx)
	movups	%xmm12, -64(%rdi,%rdx)
	movups	%xmm13, -48(%rdi,%rdx)
	movups	%xmm14, -32(%rdi,%rdx)
	movups	%xmm15, -16(%rdi,%rdx)
	ret

// More than 256 bytes. rcx = dst - src as an unsigned number: below n exactly if dst lies inside the source.
	.p2align 4
.Lmove_large:
#ifndef BOOT_HOSTED
	cmpq	$CHUNK_FROM, %rdx
	jae	.Lmove_chunked
#endif
	movq	%rdi, %rcx
	subq	%rsi, %rcx
	je	3f				// onto itself
	cmpq	%rdx, %rcx
	jb	.Lmove_backward
	cmpq	$REP_MIN, %rdx
	jb	1f
	cmpb	$0, runtime.useERMSmemmove(%rip)
	je	1f
	cmpq	$-64, %rcx			// dst less than 64 below src
	ja	1f
	movq	%rdx, %rcx
	rep movsb
	ret
1:	cmpb	$0, runtime.useAVXmemmove(%rip)
	je	.Lmove_forward_sse

	// Forward, 32-byte registers. The loop stores to aligned addresses, from the first one above dst; the head below it
	// and the last 128 bytes are in registers meanwhile. r9 = dst + n.
	vmovdqu	(%rsi), %ymm4
	vmovdqu	-32(%rsi,%rdx), %ymm5
	vmovdqu	-64(%rsi,%rdx), %ymm6
	vmovdqu	-96(%rsi,%rdx), %ymm7
	vmovdqu	-128(%rsi,%rdx), %ymm8
	leaq	(%rdi,%rdx), %r9
	movq	%rdi, %rcx
	orq	$31, %rdi
	incq	%rdi				// aligned, 1..32 above dst
	subq	%rcx, %rsi
	addq	%rdi, %rsi			// src moved along
	leaq	-128(%r9), %r8			// the loop leaves the last 128 bytes, or fewer, to the tail
	.p2align 4
2:	vmovdqu	(%rsi), %ymm0
	vmovdqu	32(%rsi), %ymm1
	vmovdqu	64(%rsi), %ymm2
	vmovdqu	96(%rsi), %ymm3
	subq	$-128, %rsi
	vmovdqa	%ymm0, (%rdi)
	vmovdqa	%ymm1, 32(%rdi)
	vmovdqa	%ymm2, 64(%rdi)
	vmovdqa	%ymm3, 96(%rdi)
	subq	$-128, %rdi
	cmpq	%r8, %rdi
	jb	2b
	vmovdqu	%ymm4, (%rcx)
	vmovdqu	%ymm5, -32(%r9)
	vmovdqu	%ymm6, -64(%r9)
	vmovdqu	%ymm7, -96(%r9)
	vmovdqu	%ymm8, -128(%r9)
	vzeroupper
3:	ret

	.p2align 4
.Lmove_forward_sse:
	movups	(%rsi), %xmm4
	movups	-16(%rsi,%rdx), %xmm5
	movups	-32(%rsi,%rdx), %xmm6
	movups	-48(%rsi,%rdx), %xmm7
	movups	-64(%rsi,%rdx), %xmm8
	leaq	(%rdi,%rdx), %r9
	movq	%rdi, %rcx
	orq	$15, %rdi
	incq	%rdi
	subq	%rcx, %rsi
	addq	%rdi, %rsi
	leaq	-64(%r9), %r8
	.p2align 4
2:	movups	(%rsi), %xmm0
	movups	16(%rsi), %xmm1
	movups	32(%rsi), %xmm2
	movups	48(%rsi), %xmm3
	addq	$64, %rsi
	movaps	%xmm0, (%rdi)
	movaps	%xmm1, 16(%rdi)
	movaps	%xmm2, 32(%rdi)
	movaps	%xmm3, 48(%rdi)
	addq	$64, %rdi
	cmpq	%r8, %rdi
	jb	2b
	movups	%xmm4, (%rcx)
	movups	%xmm5, -16(%r9)
	movups	%xmm6, -32(%r9)
	movups	%xmm7, -48(%r9)
	movups	%xmm8, -64(%r9)
	ret

#ifndef BOOT_HOSTED
.Lmove_chunked:
	movq	(%rsp), %rcx			// who asks
	jmp	runtime.memmoveChunked
#endif

// Downwards: the mirror image. The loop stores to aligned addresses below dst + n; the first 128 bytes and the last 32
// are in registers meanwhile.
	.p2align 4
.Lmove_backward:
	leaq	(%rdi,%rdx), %r9		// dst + n
	addq	%rdx, %rsi			// src + n
	cmpb	$0, runtime.useAVXmemmove(%rip)
	je	.Lmove_backward_sse
	movq	%rsi, %r8
	subq	%rdx, %r8			// src
	vmovdqu	-32(%rsi), %ymm4
	vmovdqu	(%r8), %ymm5
	vmovdqu	32(%r8), %ymm6
	vmovdqu	64(%r8), %ymm7
	vmovdqu	96(%r8), %ymm8
	movq	%r9, %rcx
	decq	%rcx
	andq	$~31, %rcx			// aligned, 1..32 below dst + n
	movq	%r9, %r10
	subq	%rcx, %r10
	subq	%r10, %rsi			// src moved along
	leaq	128(%rdi), %r8
	.p2align 4
2:	vmovdqu	-32(%rsi), %ymm0
	vmovdqu	-64(%rsi), %ymm1
	vmovdqu	-96(%rsi), %ymm2
	vmovdqu	-128(%rsi), %ymm3
	addq	$-128, %rsi
	vmovdqa	%ymm0, -32(%rcx)
	vmovdqa	%ymm1, -64(%rcx)
	vmovdqa	%ymm2, -96(%rcx)
	vmovdqa	%ymm3, -128(%rcx)
	addq	$-128, %rcx
	cmpq	%r8, %rcx
	ja	2b
	vmovdqu	%ymm4, -32(%r9)
	vmovdqu	%ymm5, (%rdi)
	vmovdqu	%ymm6, 32(%rdi)
	vmovdqu	%ymm7, 64(%rdi)
	vmovdqu	%ymm8, 96(%rdi)
	vzeroupper
	ret

	.p2align 4
.Lmove_backward_sse:
	movq	%rsi, %r8
	subq	%rdx, %r8
	movups	-16(%rsi), %xmm4
	movups	(%r8), %xmm5
	movups	16(%r8), %xmm6
	movups	32(%r8), %xmm7
	movups	48(%r8), %xmm8
	movq	%r9, %rcx
	decq	%rcx
	andq	$~15, %rcx
	movq	%r9, %r10
	subq	%rcx, %r10
	subq	%r10, %rsi
	leaq	64(%rdi), %r8
	.p2align 4
2:	movups	-16(%rsi), %xmm0
	movups	-32(%rsi), %xmm1
	movups	-48(%rsi), %xmm2
	movups	-64(%rsi), %xmm3
	subq	$64, %rsi
	movaps	%xmm0, -16(%rcx)
	movaps	%xmm1, -32(%rcx)
	movaps	%xmm2, -48(%rcx)
	movaps	%xmm3, -64(%rcx)
	subq	$64, %rcx
	cmpq	%r8, %rcx
	ja	2b
	movups	%xmm4, -16(%r9)
	movups	%xmm5, (%rdi)
	movups	%xmm6, 16(%rdi)
	movups	%xmm7, 32(%rdi)
	movups	%xmm8, 48(%rdi)
	ret
	.cfi_endproc
ENDFUNC runtime.memmove
#ifndef BOOT_HOSTED
ENDFUNC memcpy
ENDFUNC memmove
#endif

// memclrNoHeapPointers(ptr in DI, n in SI)
FUNC runtime.memclrNoHeapPointers
	.cfi_startproc
	movq	%rdi, %rax
	movq	%rsi, %rdx
	xorl	%esi, %esi
	pxor	%xmm0, %xmm0
	jmp	.Lset
	.cfi_endproc
ENDFUNC runtime.memclrNoHeapPointers

// memset(dst in DI, byte in SI, n in DX) → dst. rsi becomes eight copies of the byte, xmm0 sixteen.
#ifndef BOOT_HOSTED
FUNC memset
#endif
FUNC runtime.memset
	.cfi_startproc
	movq	%rdi, %rax
	movzbl	%sil, %esi
	movabsq	$0x0101010101010101, %rcx
	imulq	%rcx, %rsi
	movq	%rsi, %xmm0
	punpcklqdq %xmm0, %xmm0
.Lset:
	cmpq	$16, %rdx
	jb	.Lset_under16
	cmpq	$64, %rdx
	jae	.Lset_over64
	// 16..63: two stores from each end; below 32 the inner two fall on the outer ones
	leaq	(%rdi,%rdx), %r9
	movl	%edx, %ecx
	andl	$32, %ecx
	shrl	$1, %ecx
	movups	%xmm0, (%rdi)
	movups	%xmm0, -16(%r9)
	movups	%xmm0, (%rdi,%rcx)
	negq	%rcx
	movups	%xmm0, -16(%r9,%rcx)
	ret

	.p2align 4
.Lset_under16:
	cmpl	$8, %edx
	jae	1f
	cmpl	$4, %edx
	jae	2f
	cmpl	$1, %edx
	jb	3f
	movb	%sil, (%rdi)
	je	3f
	movw	%si, -2(%rdi,%rdx)
3:	ret
1:	movq	%rsi, (%rdi)
	movq	%rsi, -8(%rdi,%rdx)
	ret
2:	movl	%esi, (%rdi)
	movl	%esi, -4(%rdi,%rdx)
	ret

	.p2align 4
.Lset_over64:
	leaq	(%rdi,%rdx), %r9
	cmpq	$256, %rdx
	ja	.Lset_large
	movups	%xmm0, (%rdi)
	movups	%xmm0, 16(%rdi)
	movups	%xmm0, 32(%rdi)
	movups	%xmm0, 48(%rdi)
	movups	%xmm0, -64(%r9)
	movups	%xmm0, -48(%r9)
	movups	%xmm0, -32(%r9)
	movups	%xmm0, -16(%r9)
	cmpq	$128, %rdx
	jbe	1f
	movups	%xmm0, 64(%rdi)
	movups	%xmm0, 80(%rdi)
	movups	%xmm0, 96(%rdi)
	movups	%xmm0, 112(%rdi)
	movups	%xmm0, -128(%r9)
	movups	%xmm0, -112(%r9)
	movups	%xmm0, -96(%r9)
	movups	%xmm0, -80(%r9)
1:	ret

#ifndef BOOT_HOSTED
.Lset_chunked:
	movq	(%rsp), %rcx
	jmp	runtime.memsetChunked
#endif

	.p2align 4
.Lset_large:
#ifndef BOOT_HOSTED
	cmpq	$CHUNK_FROM, %rdx
	jae	.Lset_chunked
#endif
	cmpq	$REP_MIN, %rdx
	jb	1f
	cmpb	$0, runtime.useERMSmemmove(%rip)
	je	1f
	movups	%xmm0, (%rdi)			// rep stosb likes an aligned start
	movups	%xmm0, 16(%rdi)
	movups	%xmm0, 32(%rdi)
	movups	%xmm0, 48(%rdi)
	orq	$63, %rdi
	incq	%rdi
	movq	%r9, %rcx
	subq	%rdi, %rcx
	movq	%rax, %r8			// stosb takes its byte from al
	movl	%esi, %eax
	rep stosb
	movq	%r8, %rax
	ret
1:	cmpb	$0, runtime.useAVXmemmove(%rip)
	je	.Lset_sse
	vinsertf128 $1, %xmm0, %ymm0, %ymm0
	vmovdqu	%ymm0, (%rdi)
	vmovdqu	%ymm0, -128(%r9)
	vmovdqu	%ymm0, -96(%r9)
	vmovdqu	%ymm0, -64(%r9)
	vmovdqu	%ymm0, -32(%r9)
	orq	$31, %rdi
	incq	%rdi
	leaq	-128(%r9), %r8
	.p2align 4
2:	vmovdqa	%ymm0, (%rdi)
	vmovdqa	%ymm0, 32(%rdi)
	vmovdqa	%ymm0, 64(%rdi)
	vmovdqa	%ymm0, 96(%rdi)
	subq	$-128, %rdi
	cmpq	%r8, %rdi
	jb	2b
	vzeroupper
	ret

	.p2align 4
.Lset_sse:
	movups	%xmm0, (%rdi)
	movups	%xmm0, -64(%r9)
	movups	%xmm0, -48(%r9)
	movups	%xmm0, -32(%r9)
	movups	%xmm0, -16(%r9)
	orq	$15, %rdi
	incq	%rdi
	leaq	-64(%r9), %r8
	.p2align 4
2:	movaps	%xmm0, (%rdi)
	movaps	%xmm0, 16(%rdi)
	movaps	%xmm0, 32(%rdi)
	movaps	%xmm0, 48(%rdi)
	addq	$64, %rdi
	cmpq	%r8, %rdi
	jb	2b
	ret
	.cfi_endproc
ENDFUNC runtime.memset
#ifndef BOOT_HOSTED
ENDFUNC memset
#endif

	.section .note.GNU-stack, "", @progbits
