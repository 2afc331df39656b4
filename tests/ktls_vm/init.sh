#!/bin/sh
# The first process of the virtual machine of scripts/ktls_vm_test.sh. Says `PASS name` or
# `FAIL name` of each check, `DONE` at the end, and switches the machine off.
export PATH=/bin:/usr/bin HOME=/vm
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ulimit -n 65536  # a descriptor beside each connection
ip link set lo up
cd /vm || poweroff -f

check() {  # check NAME COMMAND…
  name=$1
  shift
  if "$@" >/tmp/check.log 2>&1; then
    echo "PASS $mode: $name"
  else
    echo "FAIL $mode: $name"
    tail -n 20 /tmp/check.log
  fi
}

sum() { sha256sum "$@" | cut -d ' ' -f 1; }

fetched_equal() {  # fetched_equal CURL-OPTIONS…: the big body, whole
  curl -sS --max-time 120 --cacert gw.crt --resolve gw.test:8443:127.0.0.1 "$@" \
    https://gw.test:8443/big -o /tmp/got && [ "$(sum /tmp/got)" = "$(sum /vm/www/big)" ]
}

# What a client sends reaches the server through two hops, of which the second makes records.
uploaded_equal() {
  answer=$(curl -sS --max-time 120 --data-binary @/vm/www/big http://127.0.0.1:8081/cgi-bin/sum)
  echo "$answer"
  [ "$answer" = "$(sum /vm/www/big)" ]
}

# What a client sends in TLS reaches the server.
sent_equal() {  # sent_equal CURL-OPTIONS…
  answer=$(curl -sS --max-time 120 --cacert gw.crt --resolve gw.test:8443:127.0.0.1 "$@" \
    --data-binary @/vm/www/big https://gw.test:8443/cgi-bin/sum)
  echo "$answer"
  [ "$answer" = "$(sum /vm/www/big)" ]
}

# The server of `old` ends each answer with its connection, so that it takes close_notify to be whole.
serve_old() {
  (cd www && exec openssl s_server -accept 8444 -tls1_2 -WWW -cert ../gw.crt -key ../gw.key -quiet >/dev/null 2>&1) &
  old=$!
  until netstat -ltn | grep -q ':8444 '; do sleep 1; done
}

old_equal() {
  curl -sS --max-time 120 http://127.0.0.1:8082/big -o /tmp/got && [ "$(sum /tmp/got)" = "$(sum /vm/www/big)" ]
}

# The server is killed inside of its answer: what came of it is not taken for all.
old_is_cut() {
  serve_old
  : >/tmp/got
  curl -sS --max-time 120 --limit-rate 1M http://127.0.0.1:8082/endless -o /tmp/got &
  client=$!
  until [ "$(wc -c </tmp/got)" -gt 100000 ]; do
    kill -0 $client || return 1
    sleep 1
  done
  kill -9 $old
  wait $client
  status=$?
  echo "curl ended with $status"
  [ $status = 18 ] || [ $status = 56 ]
}

request() { printf "GET /small HTTP/1.1\\r\\nHost: gw.test\\r\\n$1\\r\\n"; }

# What s_client is told next is to be read by itself.
await_client() {  # await_client PATTERN: until s_client has said so
  for _ in $(seq 30); do
    grep -qE "$1" /tmp/client.log && return
    sleep 1
  done
}

# s_client takes a line of `k` or `K` for a wish to change keys, its own or both sides', and `R` for one to
# renegotiate.
answers_around() {  # answers_around LINE COUNT VERSION: how many of two requests were answered
  : >/tmp/client.log
  {
    request ''
    await_client 'HTTP/1.1 200'
    echo "$1"
    await_client 'RENEGOTIATING|KEYUPDATE'
    sleep 2
    request 'Connection: close\r\n'
    sleep 2
  } | openssl s_client -connect 127.0.0.1:8443 "$3" -CAfile gw.crt >/tmp/client.log 2>&1
  cat /tmp/client.log
  [ "$(grep -c 'HTTP/1.1 200' /tmp/client.log)" = "$2" ]
}

# Without close_notify OpenSSL calls an end unexpected.
ends_as_it_should() {
  { request 'Connection: close\r\n'; sleep 2; } | openssl s_client -quiet -connect 127.0.0.1:8443 "$1" -CAfile gw.crt >/tmp/end.log 2>&1
  status=$?
  cat /tmp/end.log
  [ $status = 0 ] && grep -q 'HTTP/1.1 200' /tmp/end.log && ! grep -q 'unexpected eof' /tmp/end.log
}

metric() {  # metric NAME: its sum
  curl -sS --unix-socket admin.sock http://admin/metrics | grep "^$1[{ ]" |
    { total=0; while read -r line; do total=$((total + ${line##* })); done; echo $total; }
}

says_kernel() {
  sluice status -c sluice.yaml
  sluice status -c sluice.yaml --json | grep -q "\"kernel\": *$1" && [ "$(metric sluice_tls_kernel_total)" $2 ]
}

says_kernel_receives() {
  for one in received missed; do echo "$one: $(metric sluice_tls_kernel_${one}_total)"; done
  sluice status -c sluice.yaml --json | grep -q "\"kernel_receives\": *$1" && [ "$(metric sluice_tls_kernel_received_total)" $2 ]
}

run() {  # run MODE: the checks, in a gateway that was started for them
  mode=$1
  sluice run -c sluice.yaml >/tmp/gateway.log 2>&1 &
  gateway=$!
  until curl -sS --unix-socket admin.sock http://admin/status >/dev/null 2>&1; do
    if ! kill -0 $gateway; then
      echo "FAIL $mode: the gateway starts"
      cat /tmp/gateway.log
      return
    fi
    sleep 1
  done
  check 'small body' fetched_small
  check 'TLS 1.3, AES-128' fetched_equal --tls13-ciphers TLS_AES_128_GCM_SHA256
  check 'TLS 1.3, AES-256' fetched_equal --tls13-ciphers TLS_AES_256_GCM_SHA384
  check 'TLS 1.3, ChaCha20' fetched_equal --tls13-ciphers TLS_CHACHA20_POLY1305_SHA256
  check 'TLS 1.2, AES-128' fetched_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
  check 'TLS 1.2, AES-256' fetched_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-AES256-GCM-SHA384
  check 'TLS 1.2, ChaCha20' fetched_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305
  check 'towards a target' uploaded_equal
  check 'from a client, TLS 1.3' sent_equal --tlsv1.3
  check 'from a client, TLS 1.2, AES-128' sent_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-AES128-GCM-SHA256
  check 'from a client, TLS 1.2, AES-256' sent_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-AES256-GCM-SHA384
  check 'from a client, TLS 1.2, ChaCha20' sent_equal --tls-max 1.2 --ciphers ECDHE-ECDSA-CHACHA20-POLY1305
  serve_old
  check 'from a target, TLS 1.2' old_equal
  kill $old
  check 'from a target, TLS 1.2, cut off' old_is_cut
  check 'close_notify in TLS 1.3' ends_as_it_should -tls1_3
  check 'close_notify in TLS 1.2' ends_as_it_should -tls1_2
  check "the client's new key" answers_around k 2 -tls1_3
  check 'a renegotiation is refused' answers_around R 1 -tls1_2
  if [ "$mode" = kernel ]; then
    check 'and counts' [ "$(metric sluice_tls_broken_total)" = 1 ]
    # Kernels before 6.14 take one key for a connection: it ends, and no other.
    check 'new keys on both sides end the connection' answers_around K 1 -tls1_3
    check 'and count' [ "$(metric sluice_tls_broken_total)" = 2 ]
    check 'status says kernel' says_kernel true '-gt 10'
    check 'and that it receives' says_kernel_receives true '-ge 10'
  else
    check 'new keys on both sides' answers_around K 2 -tls1_3
    check 'status says that there is none' says_kernel false '-eq 0'
    check 'and that it receives nothing' says_kernel_receives false '-eq 0'
  fi
  check 'others go on' fetched_small
  kill $gateway
  wait $gateway
  check 'the log verifies' sluice verify audit
  [ -s /tmp/gateway.log ] && tail -n 5 /tmp/gateway.log
}

fetched_small() {
  [ "$(curl -sS --cacert gw.crt --resolve gw.test:8443:127.0.0.1 https://gw.test:8443/small)" = small ]
}

head -c 16777259 /dev/urandom >www/big
head -c 100000000 /dev/zero >www/endless  # more than all buffers on the way hold
echo small >www/small
httpd -p 127.0.0.1:8080 -h /vm/www
# The kernel loads the module by itself when it is asked for, unless it knows no program for that.
echo >/proc/sys/kernel/modprobe
run without
echo /sbin/modprobe >/proc/sys/kernel/modprobe
modprobe tls || echo "FAIL the kernel has no module tls"
run kernel
echo DONE
poweroff -f
