package com.example;

import com.google.common.collect.ImmutableList;
import org.apache.commons.io.FilenameUtils;

public final class Gamma {
    public static void main(String[] arguments) {
        System.out.println(ImmutableList.of(FilenameUtils.getBaseName("a/larder.txt")));
    }
}
