/* SPDX-License-Identifier: ISC */
/*
 * Debian 12's smtpd 6.8.0p2 was written for OpenSSL 1.1.  With the OpenSSL 3
 * that it has there no listener can do TLS, nor AUTH therefore ("missing
 * private key", OpenSMTPD's issue 1171): smtpd marks the key that
 * EVP_PKEY_get1_RSA() gives, which is a copy now.  Loaded in front, this puts
 * the copy in the original's place, as OpenSMTPD does itself since 7.3.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>

struct rsa_st;
struct evp_pkey_st;

int		 EVP_PKEY_set1_RSA(struct evp_pkey_st *, struct rsa_st *);
struct rsa_st	*EVP_PKEY_get1_RSA(struct evp_pkey_st *);

struct rsa_st *
EVP_PKEY_get1_RSA(struct evp_pkey_st *pkey)
{
	struct rsa_st	*(*real)(struct evp_pkey_st *), *rsa;

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_PKEY_get1_RSA");
	rsa = real(pkey);
	if (rsa != NULL && EVP_PKEY_set1_RSA(pkey, rsa) != 1)
		return NULL;
	return rsa;
}
