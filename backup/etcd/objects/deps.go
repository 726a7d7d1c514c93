package objects

import (
	_ "k8s.io/apiserver/pkg/apis/apiserver/v1"
	_ "k8s.io/apiserver/pkg/storage/value"
	_ "k8s.io/apiserver/pkg/storage/value/encrypt/aes"
	_ "k8s.io/apiserver/pkg/storage/value/encrypt/secretbox"
)
