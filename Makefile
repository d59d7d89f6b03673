# Thin aliases; the commands are ./run, ./test and ./bench.
run:
	./run
test:
	./test
demo: run
.PHONY: run test demo
