module github.com/yamori-net/yamori

go 1.26
